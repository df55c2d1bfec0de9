// A body between the wire and the store. What the client promised of it (length, digests in fields or trailer, its
// SHA-256 in the signature) is compared after the last byte came and before anything is made durable.

import Bytes
import Digests
import HTTP
import Objects
import Signatures

/// What a client promised of a body's bytes.
struct PayloadPromise: Sendable {
    /// The decoded length; nil when it was not announced.
    var length: Int?
    /// Lower-case hexadecimal SHA-256 that was signed; nil for unsigned and chunk-signed payloads.
    var sha256: String?
    var md5: [UInt8]?
    /// The additional checksum of a field, or nil when it comes in the trailer or not at all.
    var checksum: Checksum?
    /// The algorithm of a checksum that comes in the trailer.
    var trailerAlgorithm: ChecksumAlgorithm?

    /// The algorithm to compute, if any.
    var algorithm: ChecksumAlgorithm? { checksum?.algorithm ?? trailerAlgorithm }
}

/// Reads a body and checks it against what was promised. Used by the one task that handles the request.
///
/// `@unchecked Sendable`: confined to that task, as `Request` is.
final class S3Payload: @unchecked Sendable {
    let promise: PayloadPromise
    private let body: RequestBody
    private var decoder: ChunkedPayloadDecoder?
    private var trailer: [(name: String, value: String)] = []
    private var receivedBytes = 0

    init(body: RequestBody, promise: PayloadPromise, decoder: ChunkedPayloadDecoder?) {
        self.body = body
        self.promise = promise
        self.decoder = decoder
    }

    /// The next decoded bytes; nil at the end, when length and framing have proved right.
    func next() async throws -> [UInt8]? {
        while let bytes = try await read() {
            guard decoder != nil else { return try received(bytes) }
            let decoded = try decode(bytes)
            if !decoded.isEmpty { return try received(decoded) }
        }
        if var ended = decoder {
            do { trailer = try ended.finish() } catch { throw S3Error(error) }
            decoder = ended
        }
        if let length = promise.length, receivedBytes != length { throw S3Error(.incompleteBody) }
        return nil
    }

    /// The whole of a small body, such as XML, checked. Throws `code` when it is over `bytesMax`.
    func collect(bytesMax: Int, over code: S3Error.Code = .malformedXML) async throws -> [UInt8] {
        if let length = promise.length, length > bytesMax {
            throw S3Error(code, "The body is larger than \(bytesMax) bytes.")
        }
        var all: [UInt8] = []
        while let bytes = try await next() {
            guard all.count + bytes.count <= bytesMax else {
                throw S3Error(code, "The body is larger than \(bytesMax) bytes.")
            }
            all.append(contentsOf: bytes)
        }
        if let promised = promise.sha256 {
            var hash = SHA256()
            hash.update(all)
            guard Hex.encode(hash.finalize()) == promised else { throw S3Error(.contentSHA256Mismatch) }
        }
        if let promised = promise.md5 {
            var hash = MD5()
            hash.update(all)
            guard hash.finalize() == promised else { throw S3Error(.badDigest) }
        }
        if let algorithm = promise.algorithm { try check(algorithm, Checksum.value(algorithm, of: all)) }
        return all
    }

    /// Sends the body through `ingest`, ends it and compares its digests.
    func stream(into ingest: Ingest) async throws {
        while let bytes = try await next() { try await ingest.append(bytes) }
        try await ingest.seal()
        let digests = ingest.digests
        if let promised = promise.sha256, let sha256 = digests.sha256, Hex.encode(sha256) != promised {
            throw S3Error(.contentSHA256Mismatch)
        }
        if let promised = promise.md5, digests.md5 != promised { throw S3Error(.badDigest) }
        if let algorithm = promise.algorithm, let value = digests.checksum { try check(algorithm, value) }
    }

    private func check(_ algorithm: ChecksumAlgorithm, _ value: [UInt8]) throws {
        let promised: String
        if let checksum = promise.checksum {
            promised = checksum.text
        } else {
            let name = "x-amz-checksum-\(algorithm.rawValue.lowercased())"
            guard let text = trailer.first(where: { $0.name.lowercased() == name })?.value else {
                throw S3Error(.badRequest, "The trailer \(name) that x-amz-trailer announced did not come.")
            }
            promised = text
        }
        guard Base64.encode(value) == promised else {
            throw S3Error(.badDigest, "The \(algorithm.rawValue) you specified did not match the calculated checksum.")
        }
    }

    private func read() async throws -> [UInt8]? {
        do { return try await body.next() } catch let error as BodyError { throw S3Error(error) }
    }

    private func received(_ bytes: [UInt8]) throws -> [UInt8] {
        receivedBytes += bytes.count
        if let length = promise.length, receivedBytes > length {
            throw S3Error(.incompleteBody, "The body has more bytes than were announced.")
        }
        return bytes
    }

    private func decode(_ bytes: [UInt8]) throws -> [UInt8] {
        guard var state = decoder else { return bytes }
        decoder = nil
        defer { decoder = state }
        do { return try state.decode(bytes) } catch { throw S3Error(error) }
    }
}

extension S3Error {
    /// The wire form of a chunked payload that was refused.
    fileprivate init(_ error: ChunkedPayloadError) {
        let code: Code =
            switch error.code {
            case .malformed: .badRequest
            case .incomplete: .incompleteBody
            case .mismatch: .signatureDoesNotMatch
            }
        self.init(code, error.message)
    }
}
