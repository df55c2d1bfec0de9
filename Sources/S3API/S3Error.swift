// Errors on the wire: every error of the domain and of this API as Amazon's code, status and XML body.
// Source: "Error responses" in the Amazon S3 API reference.

import Bytes
import Formats
import HTTP
import Objects

/// An error as a client of S3 sees it.
struct S3Error: Error, Sendable {
    let code: Code
    let message: String
    /// Further elements of the body, such as `Key`.
    var details: [(name: String, value: String)] = []
    /// Fields of the response.
    var fields: [(name: String, value: String)] = []

    init(_ code: Code, _ message: String? = nil, details: [(name: String, value: String)] = []) {
        self.code = code
        self.message = message ?? code.defaultMessage
        self.details = details
    }

    /// A feature that this release does not have, by its name.
    static func notImplemented(_ feature: String) -> S3Error {
        S3Error(.notImplemented, "\(feature) is not implemented in this release.", details: [("Feature", feature)])
    }

    /// Amazon's error codes; the raw value is the wire's spelling.
    enum Code: String, Sendable {
        case accessDenied = "AccessDenied"
        case authorizationHeaderMalformed = "AuthorizationHeaderMalformed"
        case authorizationQueryParametersError = "AuthorizationQueryParametersError"
        case badDigest = "BadDigest"
        case badRequest = "BadRequest"
        case bucketAlreadyExists = "BucketAlreadyExists"
        case bucketAlreadyOwnedByYou = "BucketAlreadyOwnedByYou"
        case bucketNotEmpty = "BucketNotEmpty"
        case entityTooLarge = "EntityTooLarge"
        case entityTooSmall = "EntityTooSmall"
        case illegalLocationConstraint = "IllegalLocationConstraintException"
        case incompleteBody = "IncompleteBody"
        case internalError = "InternalError"
        case invalidAccessKeyID = "InvalidAccessKeyId"
        case invalidArgument = "InvalidArgument"
        case invalidBucketName = "InvalidBucketName"
        case invalidDigest = "InvalidDigest"
        case invalidPart = "InvalidPart"
        case invalidPartNumber = "InvalidPartNumber"
        case invalidPartOrder = "InvalidPartOrder"
        case invalidRange = "InvalidRange"
        case invalidRequest = "InvalidRequest"
        case invalidStorageClass = "InvalidStorageClass"
        case invalidTag = "InvalidTag"
        case invalidURI = "InvalidURI"
        case keyTooLong = "KeyTooLongError"
        case malformedXML = "MalformedXML"
        case metadataTooLarge = "MetadataTooLarge"
        case methodNotAllowed = "MethodNotAllowed"
        case missingContentLength = "MissingContentLength"
        case noSuchBucket = "NoSuchBucket"
        case noSuchBucketPolicy = "NoSuchBucketPolicy"
        case noSuchCORSConfiguration = "NoSuchCORSConfiguration"
        case noSuchKey = "NoSuchKey"
        case noSuchLifecycleConfiguration = "NoSuchLifecycleConfiguration"
        case noSuchObjectLockConfiguration = "ObjectLockConfigurationNotFoundError"
        case noSuchOwnershipControls = "OwnershipControlsNotFoundError"
        case noSuchPublicAccessBlock = "NoSuchPublicAccessBlockConfiguration"
        case noSuchReplicationConfiguration = "ReplicationConfigurationNotFoundError"
        case noSuchTagSet = "NoSuchTagSet"
        case noSuchUpload = "NoSuchUpload"
        case noSuchVersion = "NoSuchVersion"
        case noSuchWebsiteConfiguration = "NoSuchWebsiteConfiguration"
        case notImplemented = "NotImplemented"
        case notModified = "NotModified"
        case preconditionFailed = "PreconditionFailed"
        case requestTimeout = "RequestTimeout"
        case requestTimeTooSkewed = "RequestTimeTooSkewed"
        case serverSideEncryptionNotFound = "ServerSideEncryptionConfigurationNotFoundError"
        case signatureDoesNotMatch = "SignatureDoesNotMatch"
        case slowDown = "SlowDown"
        case storageFull = "XMinioStorageFull"
        case tooManyBuckets = "TooManyBuckets"
        case contentSHA256Mismatch = "XAmzContentSHA256Mismatch"

        var status: HTTPStatus {
            switch self {
            case .accessDenied, .invalidAccessKeyID, .requestTimeTooSkewed, .signatureDoesNotMatch: .forbidden
            case .noSuchBucket, .noSuchBucketPolicy, .noSuchCORSConfiguration, .noSuchKey,
                .noSuchLifecycleConfiguration,
                .noSuchObjectLockConfiguration, .noSuchOwnershipControls, .noSuchPublicAccessBlock,
                .noSuchReplicationConfiguration, .noSuchTagSet, .noSuchUpload, .noSuchVersion,
                .noSuchWebsiteConfiguration, .serverSideEncryptionNotFound:
                .notFound
            case .bucketAlreadyExists, .bucketAlreadyOwnedByYou, .bucketNotEmpty: .conflict
            case .internalError: .internalServerError
            case .invalidRange, .invalidPartNumber: .rangeNotSatisfiable
            case .methodNotAllowed: .methodNotAllowed
            case .missingContentLength: .lengthRequired
            case .notImplemented: .notImplemented
            case .notModified: .notModified
            case .preconditionFailed: .preconditionFailed
            case .slowDown: .serviceUnavailable
            case .storageFull: .insufficientStorage
            case .authorizationHeaderMalformed, .authorizationQueryParametersError, .badDigest, .badRequest,
                .contentSHA256Mismatch, .entityTooLarge, .entityTooSmall, .illegalLocationConstraint, .incompleteBody,
                .invalidArgument, .invalidBucketName, .invalidDigest, .invalidPart, .invalidPartOrder, .invalidRequest,
                .invalidStorageClass, .invalidTag, .invalidURI, .keyTooLong, .malformedXML, .metadataTooLarge,
                .requestTimeout, .tooManyBuckets:
                .badRequest
            }
        }

        var defaultMessage: String {
            switch self {
            case .accessDenied: "Access Denied."
            case .badDigest:
                "The Content-MD5 or checksum value that you specified did not match what the server received."
            case .contentSHA256Mismatch:
                "The provided 'x-amz-content-sha256' header does not match what was computed."
            case .entityTooLarge: "Your proposed upload exceeds the maximum allowed object size."
            case .incompleteBody:
                "You did not provide the number of bytes specified by the Content-Length HTTP header."
            case .internalError: "We encountered an internal error; the server's log holds it under this request's id."
            case .invalidAccessKeyID: "The AWS Access Key Id you provided does not exist in our records."
            case .invalidDigest: "The Content-MD5 you specified is not valid."
            case .malformedXML:
                "The XML you provided was not well-formed or did not validate against our published schema."
            case .methodNotAllowed: "The specified method is not allowed against this resource."
            case .missingContentLength: "You must provide the Content-Length HTTP header."
            case .preconditionFailed: "At least one of the pre-conditions you specified did not hold."
            case .invalidRange: "The requested range is not satisfiable."
            case .requestTimeout: "Your socket connection to the server was not read from or written to in time."
            case .requestTimeTooSkewed:
                "The difference between the request time and the server's time is too large (more than 15 minutes)."
            case .signatureDoesNotMatch:
                "The request signature we calculated does not match the signature you provided. "
                    + "Check your key and signing method, and that no proxy changed the Host header."
            case .slowDown: "Please reduce your request rate: too much waits already. Nothing was done."
            case .storageFull:
                "Storage backend has reached its minimum free drive threshold. Please delete a few objects."
            case .noSuchBucketPolicy: "The bucket policy does not exist."
            case .noSuchTagSet: "The TagSet does not exist."
            case .noSuchCORSConfiguration: "The CORS configuration does not exist."
            case .noSuchLifecycleConfiguration: "The lifecycle configuration does not exist."
            case .noSuchObjectLockConfiguration: "Object Lock configuration does not exist for this bucket."
            case .noSuchOwnershipControls: "The bucket ownership controls were not found."
            case .noSuchPublicAccessBlock: "The public access block configuration was not found."
            case .noSuchReplicationConfiguration: "The replication configuration was not found."
            case .noSuchWebsiteConfiguration: "The specified bucket does not have a website configuration."
            case .serverSideEncryptionNotFound: "The server side encryption configuration was not found."
            case .noSuchVersion: "The specified version does not exist: this bucket is not versioned."
            default: rawValue
            }
        }
    }
}

extension S3Error {
    /// The wire form of a domain error.
    init(_ error: ObjectError) {
        let code: Code =
            switch error.code {
            case .accessDenied: .accessDenied
            case .bucketNotFound: .noSuchBucket
            case .bucketExists: .bucketAlreadyExists
            case .bucketOwned: .bucketAlreadyOwnedByYou
            case .bucketNotEmpty: .bucketNotEmpty
            case .bucketNameInvalid: .invalidBucketName
            case .bucketCountTooLarge: .tooManyBuckets
            case .keyInvalid: .invalidArgument
            case .keyTooLong: .keyTooLong
            case .keyNotFound: .noSuchKey
            case .uploadNotFound: .noSuchUpload
            case .partNumberInvalid: .invalidArgument
            case .partNotFound: .invalidPart
            case .partOrderInvalid: .invalidPartOrder
            case .partTooSmall: .entityTooSmall
            case .partListInvalid: .malformedXML
            case .sizeMismatch: .invalidRequest
            case .checksumMismatch: .badDigest
            case .checksumTypeInvalid: .invalidRequest
            case .metadataTooLarge: .metadataTooLarge
            case .tagInvalid: .invalidTag
            case .tooLarge: .entityTooLarge
            case .notModified: .notModified
            case .preconditionFailed: .preconditionFailed
            case .rangeNotSatisfiable: .invalidRange
            case .partNumberOutOfRange: .invalidPartNumber
            case .full: .storageFull
            case .busy: .slowDown
            case .corrupt, .internal, .locked: .internalError
            }
        switch error.code {
        case .corrupt:
            self.init(code, "The stored bytes of this object do not match their checksum; they are not sent.")
        case .internal, .locked, .full, .busy: self.init(code)
        case .preconditionFailed: self.init(code, details: [("Condition", error.message)])
        default: self.init(code, error.message.isEmpty ? nil : error.message)
        }
    }

    /// The wire form of a body that could not be read to its end.
    init(_ error: BodyError) {
        switch error {
        case .tooLarge: self.init(.entityTooLarge)
        case .truncated: self.init(.incompleteBody)
        case .malformed: self.init(.badRequest, "The body's transfer coding is malformed.")
        case .timeout: self.init(.requestTimeout)
        }
    }

    /// The response; without a body for HEAD, whose reason stands in fields as MinIO's does, and for 304.
    func response(resource: String, requestID: String, isHead: Bool) -> Response {
        var response = Response(code.status)
        for (name, value) in fields { response.fields.append(name, value) }
        if isHead || code.status.forbidsBody {
            if isHead, code.status.code >= 400 {
                response.fields.append("x-minio-error-code", code.rawValue)
                // A field takes no other bytes, and a message may quote a key.
                let visible = message.unicodeScalars.filter { (0x20...0x7e).contains($0.value) }
                response.fields.append("x-minio-error-desc", "\"\(String(String.UnicodeScalarView(visible)))\"")
            }
            return response
        }
        var xml = S3XML()
        xml.begin("Error")
        xml.leaf("Code", code.rawValue)
        xml.leaf("Message", message)
        for (name, value) in details { xml.leaf(name, value) }
        xml.leaf("Resource", resource)
        xml.leaf("RequestId", requestID)
        xml.leaf("HostId", requestID)
        xml.end()
        response.fields.append("Content-Type", "application/xml")
        response.body = .bytes(xml.bytes)
        return response
    }
}
