import Bytes
import HTTP
import Objects

extension S3Call {
    func putObject() async throws -> Response {
        try refuseUnsupportedFields()
        let key = try key()
        let length = try announcedLength()
        let attributes = AttributeFields.read(fields)
        try attributes.validate()
        let tags = try AttributeFields.tags(fields)
        try await requireBucketBeforeBody(length)
        let ingest = try await store.ingest(
            expectedBytes: length.map { Int64($0) }, checksum: payload.promise.algorithm ?? requestedAlgorithm,
            sha256: payload.promise.sha256 != nil)
        let object: ObjectInfo
        do {
            try await payload.stream(into: ingest)
            object = try await store.putObject(
                bucket: bucket, owner: identity.ownerID, key: key, ingest, attributes: attributes, tags: tags,
                conditions: ConditionFields.write(fields))
        } catch {
            await ingest.discard()
            throw error
        }
        var response = Response()
        response.fields.append("ETag", "\"\(object.etag)\"")
        if let checksum = object.checksum { AttributeFields.append(checksum, to: &response.fields) }
        return response
    }

    /// The algorithm that a client wants to be computed although it sends no value.
    var requestedAlgorithm: ChecksumAlgorithm? {
        (fields["x-amz-sdk-checksum-algorithm"] ?? fields["x-amz-checksum-algorithm"])
            .flatMap { ChecksumAlgorithm(rawValue: $0.uppercased()) }
    }

    /// The length that was announced; nil for a body in HTTP's own chunks. Throws `MissingContentLength` for neither.
    func announcedLength() throws(S3Error) -> Int? {
        if let length = payload.promise.length, length > 0 || fields.contains("Content-Length") { return length }
        guard fields.contains("Transfer-Encoding") || request.head.version == .http2 else {
            throw S3Error(.missingContentLength)
        }
        return nil
    }

    /// Refuses a large body for a bucket that is not there before it is sent. For a small one the transaction that
    /// names the object finds out as soon, and the look-up is saved.
    func requireBucketBeforeBody(_ length: Int?) async throws {
        if (length ?? .max) > store.smallObjectBytesMax || fields.contains("Expect") { try await requireBucket() }
    }
}
