// AWS Signature Version 2. Amazon no longer takes it for new buckets, but boto3 still presigns URLs with it for any
// endpoint that is not Amazon's unless told otherwise, and MinIO takes it. Source: "Signing and authenticating REST
// requests (AWS signature version 2)" in the Amazon S3 developer guide.

import Bytes
package import Clock
import Digests
package import HTTP

/// A Version 2 signature as a request carries it.
package struct SignatureV2Claim: Sendable {
    package let accessKey: String
    package let signature: String
    /// Seconds since 1970 when a presigned URL ends; nil when the signature is in the Authorization field.
    package let expires: Int64?

    /// Reads `Authorization: AWS KEY:SIGNATURE`; nil when the field is something else.
    package init?(authorization: String) {
        guard authorization.hasPrefix("AWS "), let colon = authorization.lastIndex(of: ":") else { return nil }
        accessKey = String(authorization[..<colon].dropFirst(4))
        signature = String(authorization[authorization.index(after: colon)...])
        expires = nil
    }

    /// Reads `AWSAccessKeyId`, `Expires` and `Signature`; nil when the query has none of them. Throws `queryMalformed`.
    package init?(query: [(name: String, value: String)]) throws(SignatureError) {
        func value(_ name: String) -> String? { query.first { $0.name == name }?.value }
        guard let signature = value("Signature"), let accessKey = value("AWSAccessKeyId") else { return nil }
        guard let expires = value("Expires").flatMap({ ASCII.decimal($0.utf8) }) else {
            throw SignatureError(.queryMalformed, "Query-string authentication requires a numeric Expires parameter.")
        }
        self.accessKey = accessKey
        self.signature = signature
        self.expires = Int64(expires)
    }

    /// Sub-resources and overrides that belong to the signed resource.
    private static let signedParameters: Set<String> = [
        "acl", "accelerate", "analytics", "cors", "delete", "encryption", "inventory", "legal-hold", "lifecycle",
        "location", "logging", "metrics", "notification", "object-lock", "partNumber", "policy", "policyStatus",
        "publicAccessBlock", "replication", "requestPayment", "response-cache-control", "response-content-disposition",
        "response-content-encoding", "response-content-language", "response-content-type", "response-expires",
        "restore",
        "retention", "select", "select-type", "tagging", "torrent", "uploadId", "uploads", "versionId", "versioning",
        "versions", "website",
    ]

    /// Throws `mismatch`, `expired`, `skewed` or `dateMissing`.
    ///
    /// - Parameters:
    ///   - path: as sent, percent-encoded.
    ///   - bucketOfHost: the bucket that the host names, which the signed resource begins with.
    package func verify(
        method: String, path: String, bucketOfHost: String?, query: [(name: String, value: String)], fields: HTTPFields,
        secret: String, now: WallTime
    ) throws(SignatureError) {
        let date: String
        if let expires {
            guard now.seconds < expires else { throw SignatureError(.expired, "Request has expired.") }
            date = "\(expires)"
        } else {
            let text = fields["x-amz-date"] ?? fields["Date"]
            guard let moment = text.flatMap({ WallTime(httpDate: $0) ?? WallTime(iso8601: $0) }) else {
                throw SignatureError(.dateMissing, "AWS authentication requires a valid Date or x-amz-date header.")
            }
            guard abs(now.seconds - moment.seconds) <= 15 * 60 else {
                throw SignatureError(
                    .skewed, "The difference between the request time and the server's time is too large.")
            }
            date = fields.contains("x-amz-date") ? "" : fields["Date"] ?? ""
        }
        var text: [UInt8] = []
        text.append("\(method)\n\(fields["Content-MD5"] ?? "")\n\(fields["Content-Type"] ?? "")\n\(date)\n")
        var amazon: [String: [String]] = [:]
        for (name, value) in fields.all where name.lowercased().hasPrefix("x-amz-") {
            amazon[name.lowercased(), default: []].append(value)
        }
        for name in amazon.keys.sorted() {
            text.append("\(name):\(amazon[name, default: []].joined(separator: ","))\n")
        }
        if let bucketOfHost { text.append("/\(bucketOfHost)") }
        text.append(path)
        let resources = query.filter { Self.signedParameters.contains($0.name) }.sorted { $0.name < $1.name }
        for (index, pair) in resources.enumerated() {
            text.append(index == 0 ? "?" : "&")
            text.append(pair.name)
            if !pair.value.isEmpty { text.append("=\(pair.value)") }
        }
        let expected = Base64.encode(HMACSHA1.authenticate(key: Array(secret.utf8), message: text))
        guard ConstantTime.equal(expected.utf8, signature.utf8) else {
            throw SignatureError(
                .mismatch,
                "The request signature we calculated does not match the signature you provided. "
                    + "Check your key and signing method, and that no proxy changed the Host header.")
        }
    }
}
