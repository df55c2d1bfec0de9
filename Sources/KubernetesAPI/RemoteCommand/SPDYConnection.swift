import HTTP
import Server

/// SPDY's frames on a connection to a client. Confined to the connection's loop: one task reads while others write.
final class SPDYConnection: @unchecked Sendable {
    let encoder = SPDYEncoder()
    private let connection: any UpgradedConnection
    private let decoder = SPDYDecoder()
    private let turn = WriteTurn()

    init(_ connection: any UpgradedConnection) { self.connection = connection }

    /// The next frame; pings are answered underneath. Nil at the end, after an error or silence.
    func nextFrame(withinMilliseconds milliseconds: UInt64) async -> SPDYFrame? {
        while true {
            do {
                if let frame = try decoder.next() {
                    guard case .ping(let number) = frame else { return frame }
                    // Odd numbers are the client's own pings, others answers.
                    if number % 2 == 1 { try await write(encoder.ping(number)) }
                    continue
                }
                guard case .bytes(let bytes) = try await connection.read(withinMilliseconds: milliseconds) else {
                    return nil
                }
                decoder.append(bytes)
            } catch {
                return nil
            }
        }
    }

    func write(_ frame: [UInt8]) async throws {
        await turn.take()
        defer { turn.giveBack() }
        try await connection.write(frame)
    }
}

/// A WebSocket as a plain connection: the bytes of its binary messages, one after another.
final class WebSocketTunnel: UpgradedConnection, @unchecked Sendable {
    private let socket: WebSocket

    init(_ socket: WebSocket) { self.socket = socket }

    func read() async throws -> [UInt8]? {
        while let message = try await socket.receive() {
            if case .binary(let bytes) = message { return bytes }
        }
        return nil
    }

    /// The WebSocket's own pings say whether the peer is there; the time is theirs.
    func read(withinMilliseconds milliseconds: UInt64) async throws -> UpgradedInput {
        try await read().map { .bytes($0) } ?? .ended
    }

    func write(_ bytes: [UInt8]) async throws { try await socket.send(binary: bytes) }
}
