import HTTP
import Objects

// Everything belongs to the bucket's owner and is private; the ACL operations say so and take nothing else.
extension S3Call {
    func getACL() async throws -> Response {
        try await requireBucket()
        if !address.key.isEmpty { _ = try await store.headObject(bucket: bucket, key: try key()) }
        var xml = S3XML(root: "AccessControlPolicy")
        xml.begin("Owner")
        xml.leaf("ID", identity.ownerID)
        xml.leaf("DisplayName", identity.displayName)
        xml.end()
        xml.begin("AccessControlList")
        xml.begin("Grant")
        xml.begin(
            "Grantee",
            attributes: [("xmlns:xsi", "http://www.w3.org/2001/XMLSchema-instance"), ("xsi:type", "CanonicalUser")])
        xml.leaf("ID", identity.ownerID)
        xml.leaf("DisplayName", identity.displayName)
        xml.end()
        xml.leaf("Permission", "FULL_CONTROL")
        xml.end()
        xml.end()
        return xml.response()
    }

    /// Takes the canned ACL `private`; everything else is refused by name.
    func putACL() async throws -> Response {
        try await requireBucket()
        try refuseUnsupportedFields()
        let body = try await payload.collect(bytesMax: 64 * 1024)
        guard body.isEmpty else { throw S3Error.notImplemented("Access control lists beyond private") }
        if !address.key.isEmpty { _ = try await store.headObject(bucket: bucket, key: try key()) }
        return Response()
    }
}
