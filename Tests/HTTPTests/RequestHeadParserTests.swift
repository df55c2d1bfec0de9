import HTTP
import Testing

private func parse(_ text: String) throws -> ParsedRequestHead {
    let parser = RequestHeadParser(requestLineBytesMax: 256, fieldCountMax: 16)
    return try Array(text.utf8).withUnsafeBufferPointer { try parser.parse($0) }
}

private func refusal(_ text: String) -> RequestHeadError? {
    do {
        _ = try parse(text)
        return nil
    } catch {
        return error as? RequestHeadError
    }
}

@Suite struct RequestHeadParserTests {
    @Test func readsAnOrdinaryHead() throws {
        let parsed = try parse("PUT /a%20b?x=1 HTTP/1.1\r\nHost: h\r\nContent-Length: 12\r\nX-Two:  two words \r\n\r\n")
        #expect(parsed.head.method == .put)
        #expect(parsed.head.target == "/a%20b?x=1")
        #expect(parsed.framing == .length(12))
        #expect(parsed.keepsAlive)
        #expect(parsed.head.fields["x-two"] == "two words")
        #expect(parsed.head.fields["CONTENT-LENGTH"] == "12")
    }

    @Test func knowsWhenToKeepAlive() throws {
        #expect(try !parse("GET / HTTP/1.1\r\nHost: h\r\nConnection: Close\r\n\r\n").keepsAlive)
        #expect(try !parse("GET / HTTP/1.0\r\n\r\n").keepsAlive)
        #expect(try parse("GET / HTTP/1.0\r\nConnection: keep-alive\r\n\r\n").keepsAlive)
    }

    @Test func takesAbsoluteFormOnlyForItsOwnHost() throws {
        #expect(try parse("GET http://h:1/p?q HTTP/1.1\r\nHost: h:1\r\n\r\n").head.target == "/p?q")
        #expect(refusal("GET http://other/p HTTP/1.1\r\nHost: h\r\n\r\n") != nil)
    }

    @Test func expectsContinueOnlyWithABody() throws {
        #expect(
            try parse("PUT / HTTP/1.1\r\nHost: h\r\nExpect: 100-continue\r\nContent-Length: 1\r\n\r\n").expectsContinue)
        #expect(try !parse("GET / HTTP/1.1\r\nHost: h\r\nExpect: 100-continue\r\n\r\n").expectsContinue)
    }

    /// The smuggling and malformed-head corpus.
    @Test(arguments: [
        "POST / HTTP/1.1\r\nHost: h\r\nContent-Length: 5\r\nTransfer-Encoding: chunked\r\n\r\n",
        "POST / HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: chunked\r\nContent-Length: 5\r\n\r\n",
        "POST / HTTP/1.1\r\nHost: h\r\nContent-Length: 5\r\nContent-Length: 6\r\n\r\n",
        "POST / HTTP/1.1\r\nHost: h\r\nContent-Length: 5\r\nContent-Length: 5\r\n\r\n",
        "POST / HTTP/1.1\r\nHost: h\r\nContent-Length: +5\r\n\r\n",
        "POST / HTTP/1.1\r\nHost: h\r\nContent-Length: -5\r\n\r\n",
        "POST / HTTP/1.1\r\nHost: h\r\nContent-Length: 5, 5\r\n\r\n",
        "POST / HTTP/1.1\r\nHost: h\r\nContent-Length: 0x5\r\n\r\n",
        "POST / HTTP/1.1\r\nHost: h\r\nContent-Length:\r\n\r\n",
        "POST / HTTP/1.1\r\nHost: h\r\nContent-Length: 9999999999999999999999\r\n\r\n",
        "POST / HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: xchunked\r\n\r\n",
        "POST / HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: chunked, gzip\r\n\r\n",
        "POST / HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: gzip, chunked\r\n\r\n",
        "POST / HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: chunked\r\nTransfer-Encoding: chunked\r\n\r\n",
        "POST / HTTP/1.1\r\nHost: h\r\nTransfer-Encoding : chunked\r\n\r\n",
        "POST / HTTP/1.0\r\nHost: h\r\nTransfer-Encoding: chunked\r\n\r\n",
        "GET / HTTP/1.1\r\nHost: h\r\nX: a\r\n folded\r\n\r\n",
        "GET / HTTP/1.1\r\n Host: h\r\n\r\n",
        "GET / HTTP/1.1\nHost: h\n\n",
        "GET / HTTP/1.1\r\nHost: h\nX: y\r\n\r\n",
        "GET / HTTP/1.1\r\nHost: h\r\nX: a\rb\r\n\r\n",
        "GET / HTTP/1.1\r\nHost: h\r\nX: a\u{0}b\r\n\r\n",
        "GET / HTTP/1.1\r\nHost: h\r\nX: a\u{7f}b\r\n\r\n",
        "GET / HTTP/1.1\r\nHost: h\r\nno colon\r\n\r\n",
        "GET / HTTP/1.1\r\nHost: h\r\n: empty\r\n\r\n",
        "GET / HTTP/1.1\r\nHost: h\r\nX\u{1}Y: a\r\n\r\n",
        "GET / HTTP/1.1\r\n\r\n",
        "GET / HTTP/1.1\r\nHost: a\r\nHost: b\r\n\r\n",
        "GET  / HTTP/1.1\r\nHost: h\r\n\r\n",
        "GET /a b HTTP/1.1\r\nHost: h\r\n\r\n",
        "GET /\u{1} HTTP/1.1\r\nHost: h\r\n\r\n",
        "GET /ä HTTP/1.1\r\nHost: h\r\n\r\n",
        "GET /#fragment HTTP/1.1\r\nHost: h\r\n\r\n",
        "GET relative HTTP/1.1\r\nHost: h\r\n\r\n",
        "CONNECT h:443 HTTP/1.1\r\nHost: h\r\n\r\n",
        "GET / HTTP/1.1 \r\nHost: h\r\n\r\n",
        "GET / http/1.1\r\nHost: h\r\n\r\n",
        "GET /\r\nHost: h\r\n\r\n",
        " GET / HTTP/1.1\r\nHost: h\r\n\r\n",
        "G(T / HTTP/1.1\r\nHost: h\r\n\r\n",
        "GET / HTTP/1.1\r\nHost: h\r\nExpect: something\r\n\r\n",
    ])
    func refuses(_ head: String) {
        #expect(refusal(head) != nil)
    }

    @Test func namesWhatIsOverALimit() {
        #expect(
            refusal("GET /\(String(repeating: "a", count: 300)) HTTP/1.1\r\nHost: h\r\n\r\n") == .requestLineTooLong)
        let many = (0..<20).map { "X-\($0): 1\r\n" }.joined()
        #expect(refusal("GET / HTTP/1.1\r\nHost: h\r\n\(many)\r\n") == .tooManyFields)
        #expect(refusal("GET / HTTP/2.0\r\nHost: h\r\n\r\n") == .versionNotSupported)
    }

    @Test func findsTheEndWhereverTheHeadIsSplit() {
        let head = Array("GET / HTTP/1.1\r\nHost: h\r\n\r\n".utf8)
        for split in 0..<head.count {
            let early = head[..<split].withUnsafeBufferPointer { RequestHeadParser.endOfHead($0, scanned: 0) }
            #expect(early == nil)
            let late = head.withUnsafeBufferPointer { RequestHeadParser.endOfHead($0, scanned: split) }
            #expect(late == head.count)
        }
    }
}
