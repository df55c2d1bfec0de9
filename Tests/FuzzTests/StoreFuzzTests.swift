import Bytes
import Clock
import HTTP
import Testing

@testable import Objects
@testable import S3API
@testable import Signatures

@Suite struct StoreFuzzTests {
    private let chunked = [
        "5\r\nhello\r\n0\r\n\r\n", "5\r\nhello\r\n0\r\nx-amz-checksum-crc32:NhCmhg==\r\n\r\n",
        "1;chunk-signature=00\r\na\r\n0;chunk-signature=00\r\n\r\n",
        "a\r\n0123456789\r\n1\r\nx\r\n0\r\na:b\r\nc:d\r\n\r\n",
    ]

    /// What is decoded, and whether it is refused, does not depend on how the bytes arrive.
    @Test func chunkedPayloadAtRandomSplits() throws {
        try Fuzzing.run("aws-chunked", samples: chunked) { input, random in
            func decode(_ pieces: [ArraySlice<UInt8>]) -> (bytes: [UInt8], isWhole: Bool) {
                var decoder = ChunkedPayloadDecoder(signatures: nil, hasTrailer: true)
                var out: [UInt8] = []
                do {
                    for piece in pieces { out += try decoder.decode(Array(piece)) }
                    _ = try decoder.finish()
                    return (out, true)
                } catch {
                    return (out, false)
                }
            }
            var pieces: [ArraySlice<UInt8>] = []
            var rest = input[...]
            while !rest.isEmpty {
                let count = Int.random(in: 1...rest.count, using: &random)
                pieces.append(rest.prefix(count))
                rest = rest.dropFirst(count)
            }
            let whole = decode([input[...]])
            let split = decode(pieces)
            #expect(whole.isWhole == split.isWhole)
            if whole.isWhole { #expect(whole.bytes == split.bytes) }
        }
    }

    @Test func signatureClaims() throws {
        let samples = [
            "AWS4-HMAC-SHA256 Credential=a/20130524/us-east-1/s3/aws4_request,"
                + "SignedHeaders=host;x-amz-date,Signature=00",
            "AWS4-HMAC-SHA256 Credential=a/b/20130524/us-east-1/s3/aws4_request, SignedHeaders=, Signature=",
            "AWS key:signature",
        ]
        try Fuzzing.run("authorization", samples: samples) { input, _ in
            let text = String(utf8: input)
            let claim = try? SignatureClaim(authorization: text) { $0 == "x-amz-date" ? "20130524T000000Z" : nil }
            if let claim { #expect(claim.scope.date == "20130524") }
            _ = SignatureV2Claim(authorization: text)
        }
    }

    /// A range that is given lies in the object.
    @Test func byteRanges() throws {
        try Fuzzing.run("range", samples: ["bytes=0-4", "bytes=5-", "bytes=-5", "bytes=0-0,2-3", "bytes=9-1"]) {
            input, random in
            let size = Int64.random(in: 0...20, using: &random)
            guard let range = ByteRangeField(String(utf8: input))?.resolve(size: size) else { return }
            #expect(!range.isEmpty && range.lowerBound >= 0 && range.upperBound <= size)
        }
    }

    @Test func addressesAndQueries() throws {
        try Fuzzing.run("address", samples: ["/bucket/a/../b", "/bucket", "/", "//x", "/b/%2e%2e/%ff"]) { input, _ in
            let text = String(utf8: input)
            if let address = try? S3Address(path: text[...], host: text, domains: ["d"]), address.bucketOfHost == nil {
                #expect(!address.bucket.utf8.contains(UInt8(ascii: "/")))
            }
            _ = try? S3Query(text[...])
            _ = PairCoding.decode(input)
            _ = ObjectAttributes(encoded: input)
        }
    }
}
