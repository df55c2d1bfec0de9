import Bytes
import HTTP
import Objects

extension S3Call {
    func completeMultipartUpload() async throws -> Response {
        try await requireBucket()
        let key = try key()
        let id = query.value("uploadId") ?? ""
        // 10,000 parts with a checksum each stay well under this. The body's own digests are those of the request;
        // x-amz-checksum-… here speaks of the object, so it is not compared with the XML.
        let root = try XMLBody(try await payload.collect(bytesMax: 4 << 20), root: "CompleteMultipartUpload")
        let parts = try root.children("Part").map(Self.completedPart)
        let size = fields["x-amz-mp-object-size"].flatMap { ASCII.decimal($0.utf8) }.map { Int64($0) }
        let object = try await store.completeUpload(
            bucket: bucket, key: key, id: id, parts: parts, checksum: try PayloadPromise.checksum(of: fields),
            size: size,
            conditions: ConditionFields.write(fields))
        var xml = S3XML(root: "CompleteMultipartUploadResult")
        xml.leaf("Location", "/\(bucket)/\(PercentCoding.encode(key.text, keepingSlash: true))")
        xml.leaf("Bucket", bucket)
        xml.leaf("Key", key.text)
        xml.leaf("ETag", "\"\(object.etag)\"")
        if let checksum = object.checksum {
            xml.leaf("Checksum\(checksum.algorithm.rawValue)", checksum.text)
            xml.leaf("ChecksumType", checksum.type.rawValue)
        }
        return xml.response()
    }

    private static func completedPart(_ element: XMLBody) throws -> CompletedPart {
        guard let number = element.text("PartNumber").flatMap({ ASCII.decimal($0.utf8) }),
            let etag = element.text("ETag"), (1...ObjectLimits.partNumberMax).contains(number)
        else { throw S3Error(.malformedXML) }
        var checksum: Checksum?
        for algorithm in ChecksumAlgorithm.allCases {
            if let text = element.text("Checksum\(algorithm.rawValue)") {
                checksum = Checksum(algorithm: algorithm, text: text)
            }
        }
        return CompletedPart(number: number, etag: etag.filter { $0 != "\"" }, checksum: checksum)
    }
}
