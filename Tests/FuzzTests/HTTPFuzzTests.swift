import Bytes
import HTTP
import Testing

@Suite struct HTTPFuzzTests {
    private let heads = [
        "GET / HTTP/1.1\r\nHost: h\r\n\r\n",
        "PUT /bucket/key%20a?uploads&x=1 HTTP/1.1\r\nHost: 127.0.0.1:9000\r\nContent-Length: 12\r\nExpect: 100-continue\r\n\r\n",
        "POST http://h/x HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: chunked\r\nConnection: keep-alive, close\r\n\r\n",
        "OPTIONS * HTTP/1.0\r\nX-Empty:\r\nX-Space:   a b \t\r\n\r\n",
    ]

    /// Whatever the bytes: no trap, and a head that is taken keeps what smuggling needs out.
    @Test func requestHead() throws {
        let parser = RequestHeadParser(requestLineBytesMax: 4096, fieldCountMax: 32)
        try Fuzzing.run("request-head", samples: heads) { input, _ in
            input.withUnsafeBufferPointer { bytes in
                guard let end = RequestHeadParser.endOfHead(bytes, scanned: 0),
                    let parsed = try? parser.parse(UnsafeBufferPointer(rebasing: bytes[..<end]))
                else { return }
                let fields = parsed.head.fields
                #expect(fields.values("host").count <= 1)
                #expect(fields.values("content-length").count <= 1)
                #expect(!(fields.contains("content-length") && fields.contains("transfer-encoding")))
                #expect(parsed.head.target.utf8.allSatisfy { $0 > 0x20 && $0 < 0x7f })
                for (name, value) in fields.all {
                    #expect(!name.isEmpty && !value.utf8.contains { $0 == 0x0a || $0 == 0x0d || $0 == 0 })
                }
            }
        }
    }

    /// The decoded body does not depend on how the bytes arrive.
    @Test func chunkedBodyAtRandomSplits() throws {
        let bodies = ["5\r\nhello\r\n0\r\n\r\n", "1;x=y\r\na\r\nA\r\n0123456789\r\n0\r\nX-Sum: 1\r\n\r\n"]
        try Fuzzing.run("chunked", samples: bodies) { input, random in
            var whole: [UInt8] = []
            var decoder = ChunkedDecoder()
            let progress = input.withUnsafeBufferPointer { bytes in Result { try decoder.decode(bytes, into: &whole) } }
            var parts: [UInt8] = []
            var split = ChunkedDecoder()
            var ended = false
            var failed = false
            var index = 0
            while index < input.count, !ended, !failed {
                let end = min(input.count, index + Int.random(in: 1...4, using: &random))
                do {
                    let step = try Array(input[index..<end]).withUnsafeBufferPointer {
                        try split.decode($0, into: &parts)
                    }
                    if case .ended = step { ended = true }
                } catch {
                    failed = true
                }
                index = end
            }
            #expect(parts == whole)
            switch progress {
            case .success(.ended): #expect(ended)
            case .success(.needsMore): #expect(!ended && !failed)
            case .failure: #expect(failed)
            }
        }
    }

    @Test func percentDecoding() throws {
        try Fuzzing.run("percent", samples: ["a%20b+c", "%41%c3%a4", "%zz%0"]) { input, _ in
            let text = String(decoding: input, as: UTF8.self)
            if let decoded = PercentCoding.decode(text) { #expect(!decoded.utf8.contains(0) || text.utf8.contains(0)) }
            #expect(PercentCoding.decode(PercentCoding.encode(text)) == text || text.utf8.contains(0))
        }
    }
}
