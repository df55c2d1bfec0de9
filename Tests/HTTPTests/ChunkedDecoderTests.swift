import HTTP
import Testing

@Suite struct ChunkedDecoderTests {
    private func decode(_ text: String, split: Int) throws -> (String, HTTPFields, Bool) {
        let bytes = Array(text.utf8)
        var decoder = ChunkedDecoder()
        var output: [UInt8] = []
        var ended = false
        for part in [bytes[..<split], bytes[split...]] where !part.isEmpty && !ended {
            if case .ended = try Array(part).withUnsafeBufferPointer({ try decoder.decode($0, into: &output) }) {
                ended = true
            }
        }
        return (String(decoding: output, as: UTF8.self), decoder.trailers, ended)
    }

    @Test func decodesAtEverySplit() throws {
        let text = "5;name=value\r\nhello\r\nA \r\n, trailers\r\n0\r\nX-Sum: abc\r\n\r\n"
        for split in 0...text.utf8.count {
            let (body, trailers, ended) = try decode(text, split: split)
            #expect(body == "hello, trailers")
            #expect(trailers["x-sum"] == "abc")
            #expect(ended)
        }
    }

    @Test(arguments: [
        "5\nhello\r\n0\r\n\r\n", "0x5\r\nhello\r\n0\r\n\r\n", "-5\r\nhello\r\n0\r\n\r\n", "5\r\nhelloX\r\n0\r\n\r\n",
        "\r\nhello", "ffffffffffffffff\r\n", "5\r\nhello\r\n0\r\nbroken trailer\r\n\r\n", "5\rhello",
        "5 5\r\nhello\r\n0\n\r\n",
        "0\r\nX: a\u{1}b\r\n\r\n",
    ])
    func refuses(_ text: String) {
        #expect(throws: BodyError.malformed) { try decode(text, split: 0) }
    }

    @Test func boundsTheExtension() {
        #expect(throws: BodyError.malformed) { try decode("5;\(String(repeating: "x", count: 5000))\r\n", split: 0) }
    }
}
