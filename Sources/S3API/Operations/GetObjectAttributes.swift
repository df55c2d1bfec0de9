import Bytes
import Clock
import HTTP
import Objects

extension S3Call {
    func getObjectAttributes() async throws -> Response {
        try await requireBucket()
        let wanted = Set(
            fields.values("x-amz-object-attributes").joined(separator: ",").pieces(by: ",")
                .map { name in String(name.filter { $0 != " " }) })
        let known: Set<String> = ["ETag", "Checksum", "ObjectParts", "StorageClass", "ObjectSize"]
        guard !wanted.isEmpty, wanted.isSubset(of: known) else {
            throw S3Error(.invalidArgument, "Invalid attribute name specified.")
        }
        let key = try key()
        let object = try await store.headObject(bucket: bucket, key: key)
        var xml = S3XML(root: "GetObjectAttributesResponse")
        if wanted.contains("ETag") { xml.leaf("ETag", object.etag) }
        if wanted.contains("Checksum"), let checksum = object.checksum {
            xml.begin("Checksum")
            xml.leaf("Checksum\(checksum.algorithm.rawValue)", checksum.text)
            xml.leaf("ChecksumType", checksum.type.rawValue)
            xml.end()
        }
        if wanted.contains("ObjectParts"), object.partCount > 0 { try await appendParts(of: object, to: &xml) }
        if wanted.contains("StorageClass") {
            xml.leaf("StorageClass", object.attributes.field("x-amz-storage-class") ?? "STANDARD")
        }
        if wanted.contains("ObjectSize") { xml.leaf("ObjectSize", object.size) }
        var response = xml.response()
        response.fields.append("Last-Modified", object.modified.httpDate)
        return response
    }

    private func appendParts(of object: ObjectInfo, to xml: inout S3XML) async throws {
        let marker = fields["x-amz-part-number-marker"].flatMap { ASCII.decimal($0.utf8) } ?? 0
        let countMax = min(
            fields["x-amz-max-parts"].flatMap { ASCII.decimal($0.utf8) } ?? ObjectLimits.listCountMax,
            ObjectLimits.listCountMax)
        let parts = try await store.parts(bucket: bucket, key: object.key, after: marker, countMax: countMax + 1)
        let shown = parts.prefix(countMax)
        xml.begin("ObjectParts")
        xml.leaf("PartsCount", object.partCount)
        xml.leaf("PartNumberMarker", marker)
        xml.leaf("NextPartNumberMarker", shown.last?.number ?? 0)
        xml.leaf("MaxParts", countMax)
        xml.leaf("IsTruncated", parts.count > countMax)
        for part in shown where part.checksum != nil {
            xml.begin("Part")
            xml.leaf("PartNumber", part.number)
            xml.leaf("Size", part.size)
            if let checksum = part.checksum { xml.leaf("Checksum\(checksum.algorithm.rawValue)", checksum.text) }
            xml.end()
        }
        xml.end()
    }
}
