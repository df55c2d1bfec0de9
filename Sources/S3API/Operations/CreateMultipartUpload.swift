import HTTP
import Objects

extension S3Call {
    func createMultipartUpload() async throws -> Response {
        try refuseUnsupportedFields()
        try await requireBucket()
        let key = try key()
        let algorithm: ChecksumAlgorithm?
        if let name = fields["x-amz-checksum-algorithm"] {
            guard let known = ChecksumAlgorithm(rawValue: name.uppercased()) else {
                throw S3Error(
                    .invalidRequest,
                    "Checksum algorithm provided is unsupported. Please try again with any of the valid types.")
            }
            algorithm = known
        } else {
            algorithm = nil
        }
        let type: ChecksumType?
        if let name = fields["x-amz-checksum-type"] {
            guard let known = ChecksumType(rawValue: name.uppercased()), algorithm != nil else {
                throw S3Error(
                    .invalidRequest,
                    "The x-amz-checksum-type header can only be used with a known type and the "
                        + "x-amz-checksum-algorithm header."
                )
            }
            type = known
        } else {
            type = nil
        }
        let id = try await store.createUpload(
            bucket: bucket, key: key, attributes: AttributeFields.read(fields), tags: try AttributeFields.tags(fields),
            checksumAlgorithm: algorithm, checksumType: type)
        var xml = S3XML(root: "InitiateMultipartUploadResult")
        xml.leaf("Bucket", bucket)
        xml.leaf("Key", key.text)
        xml.leaf("UploadId", id)
        var response = xml.response()
        if let algorithm {
            response.fields.append("x-amz-checksum-algorithm", algorithm.rawValue)
            response.fields.append(
                "x-amz-checksum-type", (type ?? (algorithm == .crc64nvme ? .fullObject : .composite)).rawValue)
        }
        return response
    }
}
