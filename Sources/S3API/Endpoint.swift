// Which operation a request asks for. Everything S3 has is named here: what is served has a case of its own, what is
// answered by one fixed truth ("there is none") and what is refused by name stand in the tables below.

import HTTP

/// One operation of S3.
enum Endpoint: Sendable, Equatable {
    case listBuckets
    case createBucket
    case headBucket
    case deleteBucket
    case getBucketLocation
    case getBucketVersioning
    case listObjects
    case listObjectsV2
    case listObjectVersions
    case listMultipartUploads
    case deleteObjects

    case putObject
    case copyObject
    case getObject
    case headObject
    case deleteObject
    case getObjectAttributes
    case getObjectTagging
    case putObjectTagging
    case deleteObjectTagging

    case createMultipartUpload
    case uploadPart
    case uploadPartCopy
    case completeMultipartUpload
    case abortMultipartUpload
    case listParts

    case getACL
    case putACL
    /// A configuration that no bucket here has: answered as Amazon answers for a bucket without it.
    case absentConfiguration(AbsentConfiguration)

    /// What `GET ?name` answers where nothing was configured: an error of its own, or an empty document.
    enum AbsentConfiguration: Sendable, Equatable {
        case error(S3Error.Code)
        case document(root: String)
    }

    /// The name in metrics and in Amazon's API reference.
    var name: String {
        switch self {
        case .listBuckets: "ListBuckets"
        case .createBucket: "CreateBucket"
        case .headBucket: "HeadBucket"
        case .deleteBucket: "DeleteBucket"
        case .getBucketLocation: "GetBucketLocation"
        case .getBucketVersioning: "GetBucketVersioning"
        case .listObjects: "ListObjects"
        case .listObjectsV2: "ListObjectsV2"
        case .listObjectVersions: "ListObjectVersions"
        case .listMultipartUploads: "ListMultipartUploads"
        case .deleteObjects: "DeleteObjects"
        case .putObject: "PutObject"
        case .copyObject: "CopyObject"
        case .getObject: "GetObject"
        case .headObject: "HeadObject"
        case .deleteObject: "DeleteObject"
        case .getObjectAttributes: "GetObjectAttributes"
        case .getObjectTagging: "GetObjectTagging"
        case .putObjectTagging: "PutObjectTagging"
        case .deleteObjectTagging: "DeleteObjectTagging"
        case .createMultipartUpload: "CreateMultipartUpload"
        case .uploadPart: "UploadPart"
        case .uploadPartCopy: "UploadPartCopy"
        case .completeMultipartUpload: "CompleteMultipartUpload"
        case .abortMultipartUpload: "AbortMultipartUpload"
        case .listParts: "ListParts"
        case .getACL: "GetAcl"
        case .putACL: "PutAcl"
        case .absentConfiguration: "GetConfiguration"
        }
    }

    /// Sub-resources that no case serves, with the name of the feature that is refused, and what reading one answers.
    private static let features: [(parameter: String, feature: String, reading: AbsentConfiguration?)] = [
        ("accelerate", "Transfer acceleration", .document(root: "AccelerateConfiguration")),
        ("analytics", "Bucket analytics", nil),
        ("cors", "Bucket CORS", .error(.noSuchCORSConfiguration)),
        ("encryption", "Server-side encryption", .error(.serverSideEncryptionNotFound)),
        ("intelligent-tiering", "Intelligent tiering", nil),
        ("inventory", "Bucket inventory", nil),
        ("legal-hold", "Object legal hold", .error(.noSuchObjectLockConfiguration)),
        ("lifecycle", "Bucket lifecycle", .error(.noSuchLifecycleConfiguration)),
        ("logging", "Bucket logging", .document(root: "BucketLoggingStatus")),
        ("metrics", "Bucket metrics configuration", nil),
        ("notification", "Bucket notification", .document(root: "NotificationConfiguration")),
        ("object-lock", "Object lock", .error(.noSuchObjectLockConfiguration)),
        ("ownershipControls", "Bucket ownership controls", .error(.noSuchOwnershipControls)),
        ("policy", "Bucket policy", .error(.noSuchBucketPolicy)),
        ("policyStatus", "Bucket policy status", .error(.noSuchBucketPolicy)),
        ("publicAccessBlock", "Public access block", .error(.noSuchPublicAccessBlock)),
        ("replication", "Bucket replication", .error(.noSuchReplicationConfiguration)),
        ("requestPayment", "Requester pays", nil),
        ("restore", "Object restore", nil),
        ("retention", "Object retention", .error(.noSuchObjectLockConfiguration)),
        ("select", "S3 Select", nil),
        ("torrent", "Object torrent", nil),
        ("website", "Bucket website", .error(.noSuchWebsiteConfiguration)),
    ]

    /// Throws `NotImplemented` with the feature's name, or `MethodNotAllowed`.
    init(method: HTTPMethod, address: S3Address, query: S3Query, fields: HTTPFields) throws(S3Error) {
        for (parameter, feature, reading) in Self.features where query.has(parameter) {
            guard method == .get, let reading else { throw .notImplemented(feature) }
            self = .absentConfiguration(reading)
            return
        }
        if address.bucket.isEmpty {
            guard method == .get, address.key.isEmpty else { throw S3Error(.methodNotAllowed) }
            self = .listBuckets
        } else if address.key.isEmpty {
            self = try Self.ofBucket(method, query)
        } else {
            self = try Self.ofObject(method, query, fields)
        }
    }

    private static func ofBucket(_ method: HTTPMethod, _ query: S3Query) throws(S3Error) -> Endpoint {
        switch method {
        case .get:
            if query.has("location") { return .getBucketLocation }
            if query.has("versioning") { return .getBucketVersioning }
            if query.has("versions") { return .listObjectVersions }
            if query.has("uploads") { return .listMultipartUploads }
            if query.has("acl") { return .getACL }
            if query.has("tagging") { return .absentConfiguration(.error(.noSuchTagSet)) }
            return query.value("list-type") == "2" ? .listObjectsV2 : .listObjects
        case .head: return .headBucket
        case .put:
            if query.has("versioning") { throw .notImplemented("Bucket versioning") }
            if query.has("tagging") { throw .notImplemented("Bucket tagging") }
            if query.has("acl") { return .putACL }
            return .createBucket
        case .delete:
            if query.has("tagging") { throw .notImplemented("Bucket tagging") }
            return .deleteBucket
        case .post:
            if query.has("delete") { return .deleteObjects }
            throw .notImplemented("POST policy form upload")
        case .options: throw .notImplemented("Bucket CORS")
        default: throw S3Error(.methodNotAllowed)
        }
    }

    private static func ofObject(
        _ method: HTTPMethod, _ query: S3Query, _ fields: HTTPFields
    ) throws(S3Error) -> Endpoint {
        switch method {
        case .get:
            if query.has("uploadId") { return .listParts }
            if query.has("attributes") { return .getObjectAttributes }
            if query.has("tagging") { return .getObjectTagging }
            if query.has("acl") { return .getACL }
            return .getObject
        case .head: return .headObject
        case .put:
            let isCopy = fields.contains("x-amz-copy-source")
            if query.has("uploadId") || query.has("partNumber") { return isCopy ? .uploadPartCopy : .uploadPart }
            if query.has("tagging") { return .putObjectTagging }
            if query.has("acl") { return .putACL }
            return isCopy ? .copyObject : .putObject
        case .delete:
            if query.has("uploadId") { return .abortMultipartUpload }
            if query.has("tagging") { return .deleteObjectTagging }
            return .deleteObject
        case .post:
            if query.has("uploads") { return .createMultipartUpload }
            if query.has("uploadId") { return .completeMultipartUpload }
            throw S3Error(.methodNotAllowed)
        case .options: throw .notImplemented("Bucket CORS")
        default: throw S3Error(.methodNotAllowed)
        }
    }
}
