import Bytes
import Clock
import HTTP
import Objects

extension S3Call {
    func copyObject() async throws -> Response {
        try refuseUnsupportedFields()
        let key = try key()
        let source = try copySource()
        try await requireBucket()
        try await requireBucket(source.bucket)
        var options = ObjectStore.CopyOptions()
        switch fields["x-amz-metadata-directive"]?.uppercased() {
        case nil, "", "COPY":
            guard source.bucket != bucket || source.key != key else {
                throw S3Error(
                    .invalidRequest,
                    "This copy request is illegal because it is trying to copy an object to itself without "
                        + "changing the "
                        + "object's metadata, storage class, website redirect location or encryption attributes.")
            }
        case "REPLACE": options.attributes = AttributeFields.read(fields)
        default: throw S3Error(.invalidArgument, "Unknown metadata directive.")
        }
        switch fields["x-amz-tagging-directive"]?.uppercased() {
        case nil, "", "COPY": break
        case "REPLACE": options.tags = try AttributeFields.tags(fields)
        default: throw S3Error(.invalidArgument, "Unknown tagging directive.")
        }
        options.sourceConditions = ConditionFields.read(fields, prefix: "x-amz-copy-source-")
        options.conditions = ConditionFields.write(fields)
        let object = try await store.copyObject(from: source, to: (bucket, key), options)
        var xml = S3XML(root: "CopyObjectResult")
        xml.leaf("LastModified", object.modified)
        xml.leaf("ETag", "\"\(object.etag)\"")
        if let checksum = object.checksum {
            xml.leaf("Checksum\(checksum.algorithm.rawValue)", checksum.text)
            xml.leaf("ChecksumType", checksum.type.rawValue)
        }
        return xml.response()
    }

    /// The object that `x-amz-copy-source` names: `[/]bucket/key[?versionId=null]`, percent-encoded.
    func copySource() throws(S3Error) -> (bucket: String, key: ObjectKey) {
        let text = fields["x-amz-copy-source"] ?? ""
        let parts = text.pieces(by: "?", maxSplits: 1, omittingEmptySubsequences: false)
        if parts.count == 2, parts[1] != "versionId=null", parts[1].hasPrefix("versionId=") {
            throw S3Error(.noSuchVersion)
        }
        guard let path = parts.first.flatMap({ PercentCoding.decode($0) }) else {
            throw S3Error(.invalidArgument, "The copy source is not percent-encoded UTF-8.")
        }
        let address = S3Address(decodedPath: path)
        guard !address.bucket.isEmpty, !address.key.isEmpty else {
            throw S3Error(
                .invalidArgument, "Copy Source must mention the source bucket and key: sourcebucket/sourcekey")
        }
        do { return (address.bucket, try ObjectKey(address.key)) } catch { throw S3Error(error) }
    }
}
