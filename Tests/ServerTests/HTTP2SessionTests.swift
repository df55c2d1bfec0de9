import EventLoop
import HTTP
import Testing

@testable import Server

/// Plays the client with frames written by hand, and a server that answers at once.
final class HTTP2Peer: HTTP2SessionDelegate {
    let session: HTTP2Session
    var opened: [(stream: HTTP2Stream, head: RequestHead?)] = []
    var closedCount = 0
    var answers = true

    static let preface = Array("PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n".utf8) + frame(4, 0, 0, [])

    init(limits: ServerLimits = ServerLimits()) throws {
        session = try HTTP2Session(limits: limits, loop: EventLoopGroup.shared.loops[0])
        session.delegate = self
    }

    func streamOpened(_ stream: HTTP2Stream, head: RequestHead?) {
        opened.append((stream, head))
        guard answers else { return }
        stream.finish(Array("body".utf8), trailers: ["x-sum": "1"])
        let response = Response(.ok, fields: ["Content-Type": "text/plain", "Connection": "close"])
        session.respond(stream, response, date: Array("now".utf8), contentLength: nil, hasBody: true)
    }

    func streamClosed(_ stream: HTTP2Stream) { closedCount += 1 }
    func sessionHasOutput() {}

    /// Frame types sent since the last call, with their streams.
    func sent() -> [(type: UInt8, flags: UInt8, stream: UInt8)] {
        var out: [UInt8] = []
        session.fill(&out, countMax: .max)
        var frames: [(UInt8, UInt8, UInt8)] = []
        while out.count >= 9 {
            let length = Int(out[0]) << 16 | Int(out[1]) << 8 | Int(out[2])
            frames.append((out[3], out[4], out[8]))
            out.removeFirst(9 + length)
        }
        return frames
    }

    static func frame(_ type: UInt8, _ flags: UInt8, _ stream: UInt8, _ payload: [UInt8]) -> [UInt8] {
        [0, UInt8(payload.count >> 8), UInt8(payload.count & 255), type, flags, 0, 0, 0, stream] + payload
    }

    /// `:method`, `:scheme http`, `:path /`, `:authority h`, in HPACK.
    static func head(method: UInt8 = 0x82) -> [UInt8] { [method, 0x86, 0x84, 0x41, 1, UInt8(ascii: "h")] }
}

@Suite struct HTTP2SessionTests {
    @Test func answersARequestWithBodyAndTrailers() throws {
        let peer = try HTTP2Peer()
        try peer.session.receive(HTTP2Peer.preface + HTTP2Peer.frame(1, 5, 1, HTTP2Peer.head()))
        let head = try #require(peer.opened.first?.head)
        #expect(head.method == .get && head.target == "/" && head.version == .http2)
        #expect(head.fields["Host"] == "h")
        let frames = peer.sent().filter { $0.stream == 1 }
        // Head, data, and the trailers, which end the stream.
        #expect(frames.map(\.type) == [1, 0, 1])
        #expect(frames.map { $0.flags & 1 } == [0, 0, 1])
        #expect(peer.closedCount == 1 && peer.session.streams.isEmpty)
    }

    @Test func refusesTheRestOfABodyAfterTheAnswer() throws {
        let peer = try HTTP2Peer()
        try peer.session.receive(HTTP2Peer.preface + HTTP2Peer.frame(1, 4, 1, HTTP2Peer.head(method: 0x83)))
        #expect(peer.sent().filter { $0.stream == 1 }.map(\.type) == [1, 0, 1, 3])
    }

    @Test func windowsOpenOnlyForWhatWasRead() async throws {
        let peer = try HTTP2Peer()
        peer.answers = false
        try peer.session.receive(HTTP2Peer.preface + HTTP2Peer.frame(1, 4, 1, HTTP2Peer.head(method: 0x83)))
        _ = peer.sent()
        // Our window, larger than the standard's, holds once the client has acknowledged it.
        try peer.session.receive(HTTP2Peer.frame(4, 1, 0, []))
        for _ in 0..<10 { try peer.session.receive(HTTP2Peer.frame(0, 0, 1, [UInt8](repeating: 1, count: 16_000))) }
        #expect(!peer.sent().contains { $0.type == 8 })
        #expect(try await peer.opened[0].stream.next()?.count == 160_000)
        #expect(peer.sent().contains { $0.type == 8 && $0.stream == 1 })
    }

    @Test func givesTrailersToTheBody() async throws {
        let peer = try HTTP2Peer()
        peer.answers = false
        let trailers: [UInt8] = [0, 3, UInt8(ascii: "x"), UInt8(ascii: "-"), UInt8(ascii: "t"), 1, UInt8(ascii: "1")]
        try peer.session.receive(
            HTTP2Peer.preface + HTTP2Peer.frame(1, 4, 1, HTTP2Peer.head(method: 0x83))
                + HTTP2Peer.frame(0, 0, 1, [7]) + HTTP2Peer.frame(1, 5, 1, trailers))
        let stream = peer.opened[0].stream
        #expect(try await stream.next() == [7])
        #expect(try await stream.next() == nil)
        #expect(stream.trailers["X-T"] == "1")
    }

    @Test func resetCancelsTheReader() async throws {
        let peer = try HTTP2Peer()
        peer.answers = false
        try peer.session.receive(HTTP2Peer.preface + HTTP2Peer.frame(1, 4, 1, HTTP2Peer.head(method: 0x83)))
        try peer.session.receive(HTTP2Peer.frame(3, 0, 1, [0, 0, 0, 8]))
        await #expect(throws: CancellationError.self) { _ = try await peer.opened[0].stream.next() }
    }

    @Test func refusesStreamsOverTheLimit() throws {
        var limits = ServerLimits()
        limits.streamsPerConnectionMax = 2
        let peer = try HTTP2Peer(limits: limits)
        peer.answers = false
        // The limit holds once the client has acknowledged our SETTINGS.
        _ = peer.sent()
        try peer.session.receive(HTTP2Peer.preface + HTTP2Peer.frame(4, 1, 0, []))
        for stream in [1, 3, 5] as [UInt8] {
            try peer.session.receive(HTTP2Peer.frame(1, 5, stream, HTTP2Peer.head()))
        }
        #expect(peer.opened.count == 2)
        #expect(peer.sent().contains { $0.type == 3 && $0.stream == 5 || $0.type == 7 })
    }

    @Test func tooManyFieldsAreToldApart() throws {
        var limits = ServerLimits()
        limits.fieldCountMax = 2
        let peer = try HTTP2Peer(limits: limits)
        peer.answers = false
        let field: [UInt8] = [0, 1, UInt8(ascii: "x"), 1, UInt8(ascii: "1")]
        try peer.session.receive(
            HTTP2Peer.preface + HTTP2Peer.frame(1, 5, 1, HTTP2Peer.head() + field + field + field))
        #expect(peer.opened.count == 1 && peer.opened[0].head == nil)
    }

    @Test func goesAwayInTwoSteps() throws {
        let peer = try HTTP2Peer()
        peer.answers = false
        try peer.session.receive(HTTP2Peer.preface + HTTP2Peer.frame(1, 5, 1, HTTP2Peer.head()))
        peer.session.announceShutdown()
        #expect(peer.sent().contains { $0.type == 7 })
        try peer.session.receive(HTTP2Peer.frame(1, 5, 3, HTTP2Peer.head()))
        #expect(peer.opened.count == 2)
        peer.session.goAway()
        #expect(peer.sent().contains { $0.type == 7 } && !peer.session.isFinished)
        for (stream, _) in peer.opened {
            stream.finish([], trailers: HTTPFields())
            peer.session.respond(stream, Response(.ok), date: [], contentLength: 0, hasBody: false)
        }
        _ = peer.sent()
        #expect(peer.session.isFinished)
    }
}
