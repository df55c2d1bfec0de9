// SPDY/3.1 as clients before kubectl 1.30 speak it: the client opens a stream for each of error, stdin, stdout, stderr and
// resize, and says in a field which it is.

import HTTP
import Server

final class SPDYChannel: RemoteChannel, @unchecked Sendable {
    /// The one stream protocol spoken, of those that clients offer.
    static let streamProtocol = "v4.channel.k8s.io"
    private let connection: any UpgradedConnection
    private let decoder = SPDYDecoder()
    private let encoder = SPDYEncoder()
    private var streams: [RemoteStream: UInt32] = [:]
    private let turn = WriteTurn()

    init(_ connection: any UpgradedConnection) { self.connection = connection }

    /// Waits until the client has opened `wanted`; false when it goes away first, or does not within 30 seconds.
    func open(_ wanted: Set<RemoteStream>) async -> Bool {
        while !wanted.isSubset(of: streams.keys) {
            guard let frame = await nextFrame(withinMilliseconds: 30_000) else { return false }
            guard case .open(let stream, let fields, _) = frame else { continue }
            let names: [String: RemoteStream] = [
                "error": .status, "stdin": .input, "stdout": .output, "stderr": .error, "resize": .resize,
            ]
            guard let kind = names[fields["streamtype"] ?? ""], streams[kind] == nil else { return false }
            streams[kind] = stream
            guard (try? await write(encoder.reply(stream: stream))) != nil else { return false }
        }
        return true
    }

    func receive() async -> RemoteInput? {
        while let frame = await nextFrame(withinMilliseconds: 4 * 3600 * 1000) {
            switch frame {
            case .data(let stream, let bytes, let isFinal):
                if stream == streams[.resize] { return .size(bytes) }
                guard stream == streams[.input] else { continue }
                if isFinal, bytes.isEmpty { return .endOfInput }
                return .bytes(bytes)
            case .open(let stream, let fields, _) where fields["streamtype"] == "resize":
                streams[.resize] = stream
                try? await write(encoder.reply(stream: stream))
            case .reset(let stream) where stream == streams[.input]: return .endOfInput
            case .goAway: return nil
            default: continue
            }
        }
        return nil
    }

    /// The next frame; pings are answered underneath. Nil at the end, after an error or silence.
    private func nextFrame(withinMilliseconds milliseconds: UInt64) async -> SPDYFrame? {
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

    func send(_ stream: RemoteStream, _ bytes: [UInt8]) async throws {
        guard let number = streams[stream] else { return }
        try await write(encoder.data(stream: number, bytes))
    }

    func finish(_ status: [UInt8]) async {
        for stream in [RemoteStream.output, .error] {
            if let number = streams[stream] { try? await write(encoder.data(stream: number, [], isFinal: true)) }
        }
        if let number = streams[.status] { try? await write(encoder.data(stream: number, status, isFinal: true)) }
    }

    private func write(_ frame: [UInt8]) async throws {
        await turn.take()
        defer { turn.giveBack() }
        try await connection.write(frame)
    }
}
