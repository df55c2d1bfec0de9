// What a remote command needs of the connection to its client, whichever protocol it speaks.

import Cluster
import Formats
import HTTP
import Server

/// The streams of a remote command, by their numbers in the WebSocket subprotocols.
enum RemoteStream: UInt8, CaseIterable {
    case input = 0
    case output = 1
    case error = 2
    case status = 3
    case resize = 4
}

/// What a client sent.
enum RemoteInput: Equatable {
    case bytes([UInt8])
    case endOfInput
    /// JSON: `{"Width": 80, "Height": 24}`.
    case size([UInt8])
}

/// Confined to the connection's loop: one task receives while others send.
protocol RemoteChannel: AnyObject, Sendable {
    /// The next input; nil when the client has gone.
    func receive() async -> RemoteInput?
    func send(_ stream: RemoteStream, _ bytes: [UInt8]) async throws
    /// Sends how the command ended, as a `Status`, and ends the connection.
    func finish(_ status: [UInt8]) async
}

/// Subprotocols v5.channel.k8s.io and v4.channel.k8s.io: each binary message begins with the number of its stream.
final class WebSocketChannel: RemoteChannel, @unchecked Sendable {
    static let subprotocols = ["v5.channel.k8s.io", "v4.channel.k8s.io"]
    /// v5 only: the stream named by the next byte is closed.
    private static let closeStream: UInt8 = 255
    private let socket: WebSocket

    init(_ socket: WebSocket) { self.socket = socket }

    func receive() async -> RemoteInput? {
        while let message = try? await socket.receive() {
            guard case .binary(let bytes) = message, let first = bytes.first else { continue }
            if first == Self.closeStream, bytes.count > 1, bytes[1] == RemoteStream.input.rawValue {
                return .endOfInput
            }
            if first == RemoteStream.input.rawValue { return .bytes(Array(bytes.dropFirst())) }
            if first == RemoteStream.resize.rawValue { return .size(Array(bytes.dropFirst())) }
        }
        return nil
    }

    func send(_ stream: RemoteStream, _ bytes: [UInt8]) async throws {
        try await socket.send(binary: [stream.rawValue] + bytes)
    }

    func finish(_ status: [UInt8]) async {
        try? await send(.status, status)
        await socket.close()
    }
}
