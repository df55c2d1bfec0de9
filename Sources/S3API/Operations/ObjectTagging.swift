import HTTP
import Objects

extension S3Call {
    func getObjectTagging() async throws -> Response {
        try await requireBucket()
        let object = try await store.headObject(bucket: bucket, key: try key())
        var xml = S3XML(root: "Tagging")
        xml.begin("TagSet")
        for tag in object.tags {
            xml.begin("Tag")
            xml.leaf("Key", tag.name)
            xml.leaf("Value", tag.value)
            xml.end()
        }
        xml.end()
        return xml.response()
    }

    func putObjectTagging() async throws -> Response {
        try await requireBucket()
        let root = try XMLBody(try await payload.collect(bytesMax: 64 * 1024), root: "Tagging")
        guard let set = root.child("TagSet") else { throw S3Error(.malformedXML) }
        let tags = try set.children("Tag").map { tag in
            guard let name = tag.text("Key"), let value = tag.text("Value") else { throw S3Error(.malformedXML) }
            return ObjectAttributes.Pair(name, value)
        }
        try await store.setTags(bucket: bucket, key: try key(), tags)
        return Response()
    }

    func deleteObjectTagging() async throws -> Response {
        try await requireBucket()
        try await store.setTags(bucket: bucket, key: try key(), [])
        return Response(.noContent)
    }
}
