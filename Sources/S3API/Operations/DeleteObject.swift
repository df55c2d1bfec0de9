import Bytes
import HTTP
import Objects

extension S3Call {
    func deleteObject() async throws -> Response {
        try refuseUnsupportedFields()
        try await store.deleteObject(
            bucket: bucket, owner: identity.ownerID, key: try key(),
            conditions: WriteConditions(ifMatch: ConditionFields.write(fields).ifMatch))
        return Response(.noContent)
    }

    /// DeleteObjects: up to 1,000 keys in one request and one transaction.
    func deleteObjects() async throws -> Response {
        try await requireBucket()
        let promise = payload.promise
        guard promise.md5 != nil || promise.algorithm != nil || promise.sha256 != nil else {
            throw S3Error(.invalidRequest, "Missing required header for this request: Content-MD5 or x-amz-checksum-*.")
        }
        let root = try XMLBody(try await payload.collect(bytesMax: 8 << 20), root: "Delete")
        let listed = root.children("Object")
        guard (1...ObjectLimits.deleteCountMax).contains(listed.count) else { throw S3Error(.malformedXML) }
        var keys: [ObjectKey] = []
        var outcomes: [(key: String, error: S3Error?)] = []
        for item in listed {
            guard let text = item.text("Key"), !text.isEmpty else { throw S3Error(.malformedXML) }
            do throws(S3Error) {
                if let version = item.text("VersionId"), !version.isEmpty, version != "null" {
                    throw S3Error(.noSuchVersion)
                }
                do { keys.append(try ObjectKey(text)) } catch { throw S3Error(error) }
                outcomes.append((text, nil))
            } catch {
                outcomes.append((text, error))
            }
        }
        try await store.deleteObjects(bucket: bucket, keys: keys)
        let isQuiet = root.text("Quiet") == "true"
        var xml = S3XML(root: "DeleteResult")
        for (key, error) in outcomes {
            if let error {
                xml.begin("Error")
                xml.leaf("Key", key)
                xml.leaf("Code", error.code.rawValue)
                xml.leaf("Message", error.message)
                xml.end()
            } else if !isQuiet {
                xml.begin("Deleted")
                xml.leaf("Key", key)
                xml.end()
            }
        }
        return xml.response()
    }
}
