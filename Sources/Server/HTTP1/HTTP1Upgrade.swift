import EventLoop
import HTTP

/// The raw connection after `101 Switching Protocols`. Reads and writes may come from two tasks of the connection's loop,
/// one each.
final class HTTP1Upgrade: UpgradedConnection, @unchecked Sendable {
    private let connection: HTTP1Connection

    init(connection: HTTP1Connection) { self.connection = connection }

    func read() async throws -> [UInt8]? {
        switch try await read(withinMilliseconds: connection.limits.upgradedIdleMilliseconds) {
        case .bytes(let bytes): bytes
        case .ended: nil
        case .silence: throw CancellationError()
        }
    }

    func read(withinMilliseconds milliseconds: UInt64) async throws -> UpgradedInput {
        let received = connection.received
        while received.isEmpty {
            switch connection.stream.receiveNow(received.room()) {
            case .bytes(let count): received.received(count)
            case .closed: return .ended
            case .failed(let code): throw StreamError.failed(code)
            case .wouldBlock:
                received.releaseIfEmpty()
                guard try await connection.stream.channel.readable(withinMilliseconds: milliseconds) else {
                    return .silence
                }
            }
        }
        defer { received.consume(received.count) }
        return .bytes(Array(received.bytes))
    }

    func write(_ bytes: [UInt8]) async throws {
        try await connection.stream.write(bytes, timeoutMilliseconds: connection.limits.bodyTimeoutMilliseconds)
    }
}
