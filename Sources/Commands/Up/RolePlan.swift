/// What the supervisor knows of one role: how to start it and which ports tell that it is ready.
struct RolePlan: Sendable {
    let name: String
    let arguments: [String]
    let environment: [String: String]
    /// Where its ports are reached from this machine.
    let host: String
    /// Each port with what speaks there.
    let ports: [(port: Int, speaks: String)]
}

/// How long to wait before starting a role that died again: 100 ms, doubled each time up to 10 s, and from the start
/// again once it has lived for 30 s.
struct RestartBackOff: Equatable {
    private(set) var delayMilliseconds: UInt64 = 100
    static let delayMillisecondsMax: UInt64 = 10_000
    static let healthySeconds = 30.0

    /// The delay after a life of `seconds`.
    mutating func delay(afterSeconds seconds: Double) -> UInt64 {
        if seconds >= Self.healthySeconds { delayMilliseconds = 100 }
        defer { delayMilliseconds = min(delayMilliseconds * 2, Self.delayMillisecondsMax) }
        return delayMilliseconds
    }
}
