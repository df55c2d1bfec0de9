// `aws-chunked`: S3's own framing inside an HTTP body, so that a client can sign a stream piece by piece and send a
// checksum after it.
//
//     SIZE-HEX[;chunk-signature=HEX]\r\n BYTES \r\n ... 0[;chunk-signature=HEX]\r\n
//     [name:value\r\n ... [x-amz-trailer-signature:HEX\r\n]] \r\n
//
// Sans-IO: bytes go in as they come from the wire, the payload's bytes come out. Bytes of a chunk are handed out before
// its signature could be checked; whoever stores them must not make them visible before `finish` has returned.
// Source: "Signature calculations: transferring payload in multiple chunks" and "... using trailing headers" in the
// Amazon S3 API reference.

import Bytes
import Digests

/// Why a chunked payload is refused.
package struct ChunkedPayloadError: Error, Sendable, Equatable {
    package enum Code: Sendable {
        case malformed
        case incomplete
        case mismatch
    }

    package let code: Code
    package let message: String
}

/// What is needed to check the signatures of chunks: each is chained to the one before.
package struct ChunkSignatures: Sendable {
    package let signingKey: [UInt8]
    package let date: String
    package let scope: CredentialScope
    var previous: String

    /// - Parameter seed: the signature of the request itself.
    package init(signingKey: [UInt8], date: String, scope: CredentialScope, seed: String) {
        self.signingKey = signingKey
        self.date = date
        self.scope = scope
        previous = seed
    }

    mutating func checkChunk(_ signature: String, hash: [UInt8]) throws(ChunkedPayloadError) {
        try check(
            signature, "AWS4-HMAC-SHA256-PAYLOAD\n\(date)\n\(scope.text)\n\(previous)\n\(SignatureV4.emptyHash)\n", hash
        )
    }

    mutating func checkTrailer(_ signature: String, hash: [UInt8]) throws(ChunkedPayloadError) {
        try check(signature, "AWS4-HMAC-SHA256-TRAILER\n\(date)\n\(scope.text)\n\(previous)\n", hash)
    }

    private mutating func check(_ signature: String, _ head: String, _ hash: [UInt8]) throws(ChunkedPayloadError) {
        let expected = Hex.encode(
            HMACSHA256.authenticate(key: signingKey, message: Array((head + Hex.encode(hash)).utf8)))
        guard ConstantTime.equal(expected.utf8, signature.utf8) else {
            throw ChunkedPayloadError(code: .mismatch, message: "A chunk signature does not match.")
        }
        previous = signature
    }
}

/// Undoes `aws-chunked`.
package struct ChunkedPayloadDecoder: Sendable {
    private enum State: Equatable {
        case sizeLine
        case data(left: Int)
        case dataEnd
        case trailer
        case done
    }

    /// Bytes of one size or trailer line. Amazon's longest is a checksum trailer, far below.
    private static let lineBytesMax = 1024
    private static let trailerCountMax = 8

    private var state = State.sizeLine
    private var line: [UInt8] = []
    private var signatures: ChunkSignatures?
    private var chunkHash = SHA256()
    private var chunkSignature = ""
    private let hasTrailer: Bool
    private var trailer: [(name: String, value: String)] = []

    /// - Parameters:
    ///   - signatures: nil for `STREAMING-UNSIGNED-PAYLOAD-TRAILER`.
    ///   - hasTrailer: whether fields may follow the last chunk.
    package init(signatures: ChunkSignatures?, hasTrailer: Bool) {
        self.signatures = signatures
        self.hasTrailer = hasTrailer
    }

    /// The payload's bytes in the next bytes of the body.
    package mutating func decode(_ bytes: [UInt8]) throws(ChunkedPayloadError) -> [UInt8] {
        var out: [UInt8] = []
        out.reserveCapacity(bytes.count)
        var index = 0
        while index < bytes.count {
            switch state {
            case .data(let left):
                let count = min(left, bytes.count - index)
                out.append(contentsOf: bytes[index..<index + count])
                if signatures != nil {
                    bytes.withUnsafeBytes {
                        chunkHash.update(UnsafeRawBufferPointer(rebasing: $0[index..<index + count]))
                    }
                }
                index += count
                state = left == count ? .dataEnd : .data(left: left - count)
            case .done: throw malformed("bytes follow the end")
            case .sizeLine, .dataEnd, .trailer:
                let byte = bytes[index]
                index += 1
                guard byte == UInt8(ascii: "\n") else {
                    line.append(byte)
                    guard line.count <= Self.lineBytesMax else { throw malformed("a line is too long") }
                    continue
                }
                guard line.popLast() == UInt8(ascii: "\r") else { throw malformed("a line does not end with CR LF") }
                let text = String(utf8: line)
                line.removeAll(keepingCapacity: true)
                try ended(line: text)
            }
        }
        return out
    }

    /// The fields of the trailer, after the last byte of the body. Throws `incomplete` when the end is missing.
    package mutating func finish() throws(ChunkedPayloadError) -> [(name: String, value: String)] {
        guard state == .done else {
            throw ChunkedPayloadError(code: .incomplete, message: "The body ends before its last chunk.")
        }
        return trailer
    }

    private mutating func ended(line: String) throws(ChunkedPayloadError) {
        switch state {
        case .sizeLine: try begin(chunk: line)
        case .dataEnd:
            guard line.isEmpty else { throw malformed("a chunk is longer than it says") }
            try checkChunk()
            state = .sizeLine
        case .trailer:
            if line.isEmpty {
                try checkTrailer()
                state = .done
            } else {
                let pair = line.pieces(by: ":", maxSplits: 1, omittingEmptySubsequences: false)
                guard pair.count == 2, trailer.count < Self.trailerCountMax else {
                    throw malformed("a trailer is not name:value")
                }
                trailer.append((pair[0].lowercased(), pair[1].trimmingSpaces))
            }
        case .data, .done: break
        }
    }

    private mutating func begin(chunk line: String) throws(ChunkedPayloadError) {
        let parts = line.pieces(by: ";", maxSplits: 1, omittingEmptySubsequences: false)
        guard let digits = parts.first, (1...15).contains(digits.utf8.count),
            digits.utf8.allSatisfy({ Hex.digit($0) != nil }),
            let size = Int(digits, radix: 16)
        else { throw malformed("a chunk size is not hexadecimal") }
        if signatures != nil {
            let prefix = "chunk-signature="
            guard parts.count == 2, parts[1].hasPrefix(prefix) else { throw malformed("a chunk has no signature") }
            chunkSignature = String(parts[1].dropFirst(prefix.count))
            chunkHash = SHA256()
        }
        guard size == 0 else {
            state = .data(left: size)
            return
        }
        try checkChunk()
        state = .trailer
    }

    private mutating func checkChunk() throws(ChunkedPayloadError) {
        try signatures?.checkChunk(chunkSignature, hash: chunkHash.finalize())
    }

    private mutating func checkTrailer() throws(ChunkedPayloadError) {
        guard hasTrailer || trailer.isEmpty else { throw malformed("a trailer came that was not announced") }
        guard hasTrailer, signatures != nil else { return }
        guard let index = trailer.firstIndex(where: { $0.name == "x-amz-trailer-signature" }) else {
            throw malformed("the trailer has no signature")
        }
        let signature = trailer.remove(at: index).value
        let text = trailer.map { "\($0.name):\($0.value)\n" }.joined()
        try signatures?.checkTrailer(signature, hash: SHA256.hash(Array(text.utf8)))
    }

    private func malformed(_ reason: String) -> ChunkedPayloadError {
        ChunkedPayloadError(code: .malformed, message: "The aws-chunked body is malformed: \(reason).")
    }
}

extension Substring {
    fileprivate var trimmingSpaces: String {
        let start = drop { $0 == " " }
        return String(start.reversed().drop { $0 == " " }.reversed())
    }
}
