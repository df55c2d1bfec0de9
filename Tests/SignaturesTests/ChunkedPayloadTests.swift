import Bytes
import Testing

@testable import Signatures

/// The worked example of "Transferring payload in multiple chunks": 65 KiB of `a` in chunks of 64 KiB.
@Suite struct ChunkedPayloadTests {
    private static let scope = CredentialScope(date: "20130524", region: "us-east-1")

    private var signatures: ChunkSignatures {
        ChunkSignatures(
            signingKey: SignatureV4.signingKey(secret: "wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY", scope: Self.scope),
            date: "20130524T000000Z", scope: Self.scope,
            seed: "4f232c4386841ef735655705268965c44a0e4690baa4adea153f7db9fa80a0a9")
    }

    private var body: [UInt8] {
        var out: [UInt8] = []
        out.append("10000;chunk-signature=ad80c730a21e5b8d04586a2213dd63b9a0e99e0e2307b0ade35a65485a288648\r\n")
        out.append(contentsOf: repeatElement(UInt8(ascii: "a"), count: 65_536))
        out.append("\r\n400;chunk-signature=0055627c9e194cb4542bae2aa5492e3c1575bbb81b612b7d234b86a503ef5497\r\n")
        out.append(contentsOf: repeatElement(UInt8(ascii: "a"), count: 1024))
        out.append("\r\n0;chunk-signature=b6c6ea8a5354eaf15b3cb7646744f4275b71ea724fed81ceb9323e279d449df9\r\n\r\n")
        return out
    }

    @Test(arguments: [1, 7, 1000, 70_000])
    func signedChunksAtAnySplit(step: Int) throws {
        var decoder = ChunkedPayloadDecoder(signatures: signatures, hasTrailer: false)
        let body = body
        var out: [UInt8] = []
        for start in stride(from: 0, to: body.count, by: step) {
            out += try decoder.decode(Array(body[start..<min(start + step, body.count)]))
        }
        #expect(try decoder.finish().isEmpty)
        #expect(out == [UInt8](repeating: UInt8(ascii: "a"), count: 66_560))
    }

    @Test(arguments: [100, 65_700, 66_000])
    func anAlteredByteIsFound(offset: Int) {
        var altered = body
        altered[offset] = altered[offset] == UInt8(ascii: "b") ? UInt8(ascii: "c") : UInt8(ascii: "b")
        var decoder = ChunkedPayloadDecoder(signatures: signatures, hasTrailer: false)
        #expect(throws: ChunkedPayloadError.self) {
            _ = try decoder.decode(altered)
            _ = try decoder.finish()
        }
    }

    @Test func unsignedChunksWithATrailer() throws {
        var decoder = ChunkedPayloadDecoder(signatures: nil, hasTrailer: true)
        let text = "5\r\nhello\r\n0\r\nx-amz-checksum-crc32: NhCmhg== \r\n\r\n"
        #expect(try decoder.decode(Array(text.utf8)) == Array("hello".utf8))
        let trailer = try decoder.finish()
        #expect(trailer.count == 1 && trailer[0] == ("x-amz-checksum-crc32", "NhCmhg=="))
    }

    @Test(arguments: [
        "x\r\n", "-1\r\n", "0x5\r\nhello\r\n", "5\nhello", "5\r\nhelloX\r\n", "1000000000000000\r\n",
        "0\r\nbroken\r\n\r\n", "0\r\n\r\nmore", String(repeating: "1", count: 2000),
    ])
    func malformed(text: String) {
        var decoder = ChunkedPayloadDecoder(signatures: nil, hasTrailer: true)
        let error = #expect(throws: ChunkedPayloadError.self) { _ = try decoder.decode(Array(text.utf8)) }
        #expect(error?.code == .malformed)
    }

    @Test(arguments: ["", "5\r\nhel", "5\r\nhello\r\n", "5\r\nhello\r\n0\r\n"])
    func cutOff(text: String) throws {
        var decoder = ChunkedPayloadDecoder(signatures: nil, hasTrailer: true)
        _ = try decoder.decode(Array(text.utf8))
        let error = #expect(throws: ChunkedPayloadError.self) { _ = try decoder.finish() }
        #expect(error?.code == .incomplete)
    }
}
