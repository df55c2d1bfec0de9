import EventLoop
import Formats
import HTTP
import Testing

@testable import Server

@Suite struct NetworkFuzzTests {
    /// Events and error do not depend on how the bytes arrive, and no message passes the limit.
    @Test func webSocketAtRandomSplits() throws {
        var samples: [[UInt8]] = []
        for (opcode, size) in [(.text, 5), (.binary, 126), (.ping, 3), (.close, 0)] as [(WebSocketOpcode, Int)] {
            var frame: [UInt8] = []
            WebSocketEncoder.append(opcode, [UInt8](repeating: 0x41, count: size), mask: [0, 1, 2, 3], to: &frame)
            samples.append(frame)
        }
        samples.append([0x01, 0x80, 0, 0, 0, 0, 0x80, 0x81, 0, 0, 0, 0, 0x41])
        try Fuzzing.run("websocket", bytes: samples) { input, random in
            let (whole, wholeError) = Self.decode([input])
            var parts: [[UInt8]] = []
            var rest = input[...]
            while !rest.isEmpty {
                let count = Int.random(in: 1...min(9, rest.count), using: &random)
                parts.append(Array(rest.prefix(count)))
                rest = rest.dropFirst(count)
            }
            let (split, splitError) = Self.decode(parts)
            #expect(whole == split && wholeError == splitError)
            for case .message(.binary(let bytes)) in whole { #expect(bytes.count <= 200) }
        }
    }

    private static func decode(_ parts: [[UInt8]]) -> ([WebSocketDecoder.Event], WebSocketError?) {
        var decoder = WebSocketDecoder(messageBytesMax: 200)
        var events: [WebSocketDecoder.Event] = []
        do throws(WebSocketError) {
            for part in parts {
                decoder.append(part)
                while let event = try decoder.next() { events.append(event) }
            }
        } catch {
            return (events, error)
        }
        return (events, nil)
    }

    @Test func grpcMessages() throws {
        let samples = [
            GRPCCodec.frame([1, 2, 3], encoding: .identity),
            GRPCCodec.frame([UInt8](repeating: 1, count: 300), encoding: .gzip),
        ]
        try Fuzzing.run("grpc", bytes: samples) { input, _ in
            var decoder = GRPCMessageDecoder(encoding: .gzip, bytesMax: 1000)
            decoder.append(input)
            while let message = try? decoder.next() { #expect(message.count <= 1000) }
            _ = GRPCCodec.timeoutNanoseconds(String(decoding: input, as: UTF8.self))
        }
    }

    @Test func gzip() throws {
        let samples = [Gzip.compress([UInt8](repeating: 1, count: 500)), Gzip.compress([])]
        try Fuzzing.run("gzip", bytes: samples) { input, _ in
            if let out = try? Gzip.decompress(input, bytesMax: 600) { #expect(out.count <= 600) }
        }
    }

    /// Whatever a client sends: no trap, and at most as many streams as are allowed.
    @Test func http2Session() throws {
        let preface = Array("PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n".utf8) + [0, 0, 0, 4, 0, 0, 0, 0, 0]
        let head: [UInt8] = [0, 0, 6, 1, 4, 0, 0, 0, 1, 0x83, 0x86, 0x84, 0x41, 1, 0x68]
        let data: [UInt8] = [0, 0, 3, 0, 1, 0, 0, 0, 1, 1, 2, 3]
        let reset: [UInt8] = [0, 0, 4, 3, 0, 0, 0, 0, 1, 0, 0, 0, 8]
        let samples = [head + data, head + reset, data, head]
        try Fuzzing.run("http2", bytes: samples) { input, random in
            let peer = try AnsweringPeer(answers: Bool.random(using: &random))
            do throws(HTTP2SessionError) {
                try peer.session.receive(preface)
                try peer.session.receive(input)
            } catch {
                // A broken connection is over; what it still has to say is taken below.
            }
            var out: [UInt8] = []
            peer.session.fill(&out, countMax: 1 << 20)
            #expect(peer.session.streams.count <= ServerLimits().streamsPerConnectionMax)
            peer.session.closeAll()
        }
    }
}

private final class AnsweringPeer: HTTP2SessionDelegate {
    let session: HTTP2Session
    private let answers: Bool

    init(answers: Bool) throws {
        self.answers = answers
        session = try HTTP2Session(limits: ServerLimits(), loop: EventLoopGroup.shared.loops[0])
        session.delegate = self
    }

    func streamOpened(_ stream: HTTP2Stream, head: RequestHead?) {
        guard answers, head != nil else { return }
        stream.finish([1, 2, 3], trailers: ["grpc-status": "0"])
        session.respond(stream, Response(.ok), date: Array("now".utf8), contentLength: nil, hasBody: true)
    }

    func streamClosed(_ stream: HTTP2Stream) {}
    func sessionHasOutput() {}
}
