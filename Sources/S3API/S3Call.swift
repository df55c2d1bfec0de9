import HTTP
import Objects

/// One authenticated request on its way to an operation.
struct S3Call: Sendable {
    let request: Request
    let address: S3Address
    let query: S3Query
    let identity: Identity
    /// The body as the client means it: transfer codings of S3 undone, signatures of its pieces checked.
    let payload: S3Payload
    let store: ObjectStore
    let region: String

    var fields: HTTPFields { request.fields }
    var bucket: String { address.bucket }

    /// The key. Throws `KeyTooLongError`.
    func key() throws(S3Error) -> ObjectKey {
        do { return try ObjectKey(address.key) } catch {
            throw S3Error(error)
        }
    }

    /// Refuses request fields that would change the result and are not served.
    func refuseUnsupportedFields() throws(S3Error) {
        if fields.contains("x-amz-server-side-encryption") { throw .notImplemented("Server-side encryption") }
        if fields.contains("x-amz-server-side-encryption-customer-algorithm") {
            throw .notImplemented("Server-side encryption with customer-provided keys")
        }
        if fields.contains("x-amz-object-lock-mode") || fields.contains("x-amz-object-lock-legal-hold") {
            throw .notImplemented("Object lock")
        }
        if fields["x-amz-bucket-object-lock-enabled"]?.lowercased() == "true" { throw .notImplemented("Object lock") }
        for grant in ["read", "write", "read-acp", "write-acp", "full-control"]
        where fields.contains("x-amz-grant-\(grant)") {
            throw .notImplemented("Access control lists (x-amz-grant-\(grant))")
        }
        try Self.requirePrivate(acl: fields["x-amz-acl"])
        if let storageClass = fields["x-amz-storage-class"], !["STANDARD", "REDUCED_REDUNDANCY"].contains(storageClass)
        {
            throw S3Error(.invalidStorageClass, "The storage class \(storageClass) is not kept here; use STANDARD.")
        }
        if let version = query.value("versionId"), version != "null" { throw S3Error(.noSuchVersion) }
    }

    /// Canned ACLs that come to the same as `private` when the bucket's owner owns everything in it.
    static func requirePrivate(acl: String?) throws(S3Error) {
        guard let acl else { return }
        guard ["private", "bucket-owner-full-control", "bucket-owner-read"].contains(acl) else {
            throw .notImplemented("Access control lists beyond private (x-amz-acl: \(acl))")
        }
    }
}
