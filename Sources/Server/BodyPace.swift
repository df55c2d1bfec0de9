import Clock

/// How fast a peer sends the body that a handler waits for. Only the time spent waiting counts, so a slow handler makes
/// nobody slow; within the first `bodyTimeoutMilliseconds` of it any pace will do.
struct BodyPace {
    private let graceNanoseconds: UInt64
    private let bytesPerSecondMin: Int
    private var waitedNanoseconds: UInt64 = 0
    private var count = 0

    init(_ limits: ServerLimits) {
        graceNanoseconds = limits.bodyTimeoutMilliseconds * 1_000_000
        bytesPerSecondMin = limits.bodyBytesPerSecondMin
    }

    mutating func received(_ count: Int) { self.count += count }

    mutating func waited(since began: MonotonicTime) {
        waitedNanoseconds += MonotonicTime.now.nanoseconds - began.nanoseconds
    }

    var isTooSlow: Bool {
        guard waitedNanoseconds > graceNanoseconds else { return false }
        return Double(count) < Double(waitedNanoseconds) / 1e9 * Double(bytesPerSecondMin)
    }
}
