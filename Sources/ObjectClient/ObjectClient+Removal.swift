// Many objects removed in one request (DeleteObjects), which every S3 takes with a Content-MD5 of the body.

import Bytes
import Digests
import Formats
import HTTP
import HTTPClient

/// What became of the keys of one request.
package struct RemovalOutcome: Sendable {
    /// Keys that are gone; one that was not there counts.
    package let removed: [String]
    /// The first key that the store kept, and why.
    package let failure: (key: String, error: ObjectClientError)?
}

extension ObjectClient {
    /// Keys of one request at most (Amazon's limit).
    package static let removalCountMax = 1000

    /// Removes up to `removalCountMax` objects. Throws when the store refuses the request as a whole.
    package func delete(bucket: String, keys: [String]) async throws -> RemovalOutcome {
        let body = Self.removalBody(keys)
        var hash = MD5()
        hash.update(body)
        var fields = HTTPFields()
        fields.append("Content-MD5", Base64.encode(hash.finalize()))
        let response = try await execute(
            .post, bucket, "", query: [("delete", "")], fields: fields, body: .bytes(body))
        return Self.removalOutcome(of: keys, try await result(response, "DeleteResult", bytesMax: 4 << 20))
    }

    private static func removalBody(_ keys: [String]) -> [UInt8] {
        var writer = XMLWriter()
        writer.begin("Delete")
        writer.leaf("Quiet", "true")
        for key in keys {
            writer.begin("Object")
            writer.leaf("Key", key)
            writer.end()
        }
        writer.end()
        return writer.bytes
    }

    /// A quiet answer names only the keys that stayed.
    private static func removalOutcome(of keys: [String], _ root: XMLElement) -> RemovalOutcome {
        let kept = root.children.filter { $0.name == "Error" }
        let keptKeys = Set(kept.compactMap { $0.child("Key").map { ExactText($0.text) } })
        return RemovalOutcome(
            removed: keys.filter { !keptKeys.contains(ExactText($0)) },
            failure: kept.first.map { first in
                (
                    first.child("Key")?.text ?? "",
                    ObjectClientError(
                        code: first.child("Code")?.text ?? "InternalError",
                        message: first.child("Message")?.text ?? "", status: 200)
                )
            })
    }
}
