import Bytes
import Clock
import HTTP
import Objects

extension S3Call {
    func uploadPart() async throws -> Response {
        try refuseUnsupportedFields()
        let (key, id, number) = try partAddress()
        let length = try announcedLength()
        guard Int64(length ?? 0) <= ObjectLimits.partBytesMax else { throw S3Error(.entityTooLarge) }
        try await requireBucket()
        // Asked before the body is read: a part for an upload that is gone is refused at its head.
        let upload = try await store.upload(bucket: bucket, key: key, id: id)
        let promised = payload.promise.algorithm
        if let expected = upload.checksumAlgorithm, let promised, promised != expected {
            throw S3Error(
                .invalidRequest,
                "Checksum Type mismatch occurred, expected checksum Type: \(expected.rawValue.lowercased()), "
                    + "actual checksum Type: \(promised.rawValue.lowercased())")
        }
        let ingest = try await store.ingest(
            expectedBytes: length.map { Int64($0) }, checksum: promised ?? upload.checksumAlgorithm,
            sha256: payload.promise.sha256 != nil)
        let part: PartInfo
        do {
            try await payload.stream(into: ingest)
            part = try await store.putPart(bucket: bucket, key: key, upload: id, number: number, ingest)
        } catch {
            await ingest.discard()
            throw error
        }
        var response = Response()
        response.fields.append("ETag", "\"\(part.etag)\"")
        if let checksum = part.checksum {
            response.fields.append("x-amz-checksum-\(checksum.algorithm.rawValue.lowercased())", checksum.text)
        }
        return response
    }

    /// Key, upload and part number of a request on a part. Throws `InvalidArgument`.
    func partAddress() throws(S3Error) -> (key: ObjectKey, upload: String, number: Int) {
        guard let id = query.value("uploadId"), let text = query.value("partNumber") else {
            throw S3Error(.invalidArgument, "This operation needs both uploadId and partNumber.")
        }
        guard let number = ASCII.decimal(text.utf8), (1...ObjectLimits.partNumberMax).contains(number) else {
            throw S3Error(.invalidArgument, "Part number must be an integer between 1 and 10000, inclusive.")
        }
        return (try key(), id, number)
    }
}
