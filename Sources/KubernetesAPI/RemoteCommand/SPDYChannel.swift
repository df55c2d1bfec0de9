// SPDY/3.1 as clients before kubectl 1.30 speak it: the client opens a stream for each of error, stdin, stdout, stderr and
// resize, and says in a field which it is.

import HTTP

final class SPDYChannel: RemoteChannel, @unchecked Sendable {
    /// The one stream protocol spoken, of those that clients offer.
    static let streamProtocol = "v4.channel.k8s.io"
    private let connection: SPDYConnection
    private var streams: [RemoteStream: UInt32] = [:]

    init(_ connection: any UpgradedConnection) { self.connection = SPDYConnection(connection) }

    /// Waits until the client has opened `wanted`; false when it goes away first, or does not within 30 seconds.
    func open(_ wanted: Set<RemoteStream>) async -> Bool {
        while !wanted.isSubset(of: streams.keys) {
            guard let frame = await connection.nextFrame(withinMilliseconds: 30_000) else { return false }
            guard case .open(let stream, let fields, _) = frame else { continue }
            let names: [String: RemoteStream] = [
                "error": .status, "stdin": .input, "stdout": .output, "stderr": .error, "resize": .resize,
            ]
            guard let kind = names[fields["streamtype"] ?? ""], streams[kind] == nil else { return false }
            streams[kind] = stream
            guard (try? await connection.write(connection.encoder.reply(stream: stream))) != nil else { return false }
        }
        return true
    }

    func receive() async -> RemoteInput? {
        while let frame = await connection.nextFrame(withinMilliseconds: 4 * 3600 * 1000) {
            switch frame {
            case .data(let stream, let bytes, let isFinal):
                if stream == streams[.resize] { return .size(bytes) }
                guard stream == streams[.input] else { continue }
                if isFinal, bytes.isEmpty { return .endOfInput }
                return .bytes(bytes)
            case .open(let stream, let fields, _) where fields["streamtype"] == "resize":
                streams[.resize] = stream
                try? await connection.write(connection.encoder.reply(stream: stream))
            case .reset(let stream) where stream == streams[.input]: return .endOfInput
            case .goAway: return nil
            default: continue
            }
        }
        return nil
    }

    func send(_ stream: RemoteStream, _ bytes: [UInt8]) async throws {
        guard let number = streams[stream] else { return }
        try await connection.write(connection.encoder.data(stream: number, bytes))
    }

    func finish(_ status: [UInt8]) async {
        for stream in [RemoteStream.output, .error] {
            if let number = streams[stream] { await end(number, []) }
        }
        if let number = streams[.status] { await end(number, status) }
    }

    private func end(_ stream: UInt32, _ bytes: [UInt8]) async {
        try? await connection.write(connection.encoder.data(stream: stream, bytes, isFinal: true))
    }
}
