import Bytes
import Clock
import HTTP
import Objects

extension S3Call {
    /// UploadPartCopy: a part from a range of an object, read and checked and written as any other part.
    func uploadPartCopy() async throws -> Response {
        try refuseUnsupportedFields()
        let (key, id, number) = try partAddress()
        let source = try copySource()
        try await requireBucket()
        let upload = try await store.upload(bucket: bucket, key: key, id: id)
        let wanted = try copyRange()
        let conditions = ConditionFields.read(fields, prefix: "x-amz-copy-source-")
        let (_, contents) = try await store.getObject(
            bucket: source.bucket, owner: identity.ownerID, key: source.key
        ) { object, _ throws(ObjectError) in
            do { try conditions.check(etag: object.etag, modified: object.modified) } catch {
                throw ObjectError(.preconditionFailed, "x-amz-copy-source conditions")
            }
            guard let wanted else { return 0..<object.size }
            guard wanted.upperBound <= object.size else {
                throw ObjectError(
                    .rangeNotSatisfiable, "Range specified is not valid for source object of size: \(object.size)")
            }
            return wanted
        }
        let ingest = try await store.ingest(
            expectedBytes: Int64(contents.range.count), checksum: upload.checksumAlgorithm, sha256: false)
        let part: PartInfo
        do {
            try await contents.forEachChunk { try await ingest.append($0) }
            try await ingest.seal()
            part = try await store.putPart(bucket: bucket, key: key, upload: id, number: number, ingest)
        } catch {
            await ingest.discard()
            throw error
        }
        var xml = S3XML(root: "CopyPartResult")
        xml.leaf("LastModified", part.modified)
        xml.leaf("ETag", "\"\(part.etag)\"")
        if let checksum = part.checksum { xml.leaf("Checksum\(checksum.algorithm.rawValue)", checksum.text) }
        return xml.response()
    }

    /// `x-amz-copy-source-range`: `bytes=first-last`, nothing else. Throws `InvalidArgument`.
    private func copyRange() throws(S3Error) -> Range<Int64>? {
        guard let text = fields["x-amz-copy-source-range"] else { return nil }
        guard case .closed(let first, let last) = ByteRangeField(text) else {
            throw S3Error(
                .invalidArgument,
                "The x-amz-copy-source-range value must be of the form bytes=first-last where first and last are the "
                    + "zero-based offsets of the first and last bytes to copy")
        }
        return first..<last + 1
    }
}
