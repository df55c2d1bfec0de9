// What a request claims in its Authorization field or its query: who signed it, when, over which fields. Reading it is
// separate from believing it, so that a server can look up the secret in between.

import Bytes
package import Clock
import HTTP

/// Why a claim could not be read or believed. The message is for the client.
package struct SignatureError: Error, Sendable, Equatable {
    package enum Code: Sendable {
        /// Another mechanism than Signature Version 4.
        case unsupported
        case headerMalformed
        case queryMalformed
        case dateMissing
        case skewed
        case expired
        case notYetValid
        case fieldsNotSigned
        case mismatch
    }

    package let code: Code
    package let message: String

    package init(_ code: Code, _ message: String) {
        self.code = code
        self.message = message
    }
}

/// A signature as a request carries it.
package struct SignatureClaim: Sendable {
    package let accessKey: String
    package let scope: CredentialScope
    /// `20261121T034511Z`, as it was signed.
    package let date: String
    package let signedFields: [String]
    package let signature: String
    /// Seconds a presigned URL is good for; nil when the signature is in the Authorization field.
    package let expiresSeconds: Int64?

    package var isPresigned: Bool { expiresSeconds != nil }

    /// Reads the `Authorization` field.
    package init(authorization: String, fields: HTTPFieldsReader) throws(SignatureError) {
        func malformed(_ reason: String) -> SignatureError {
            SignatureError(.headerMalformed, "The authorization header is malformed; \(reason).")
        }
        guard authorization.hasPrefix(SignatureV4.algorithm) else {
            throw SignatureError(
                .unsupported,
                "The authorization mechanism you have provided is not supported. Please use AWS4-HMAC-SHA256.")
        }
        var parts: [Substring: String] = [:]
        for item in authorization.dropFirst(SignatureV4.algorithm.count).pieces(by: ",") {
            let pair = item.pieces(by: "=", maxSplits: 1)
            guard pair.count == 2 else { throw malformed("a part of it is not NAME=VALUE") }
            parts[pair[0].drop { $0 == " " }] = pair[1].filter { $0 != " " }
        }
        guard let credential = parts["Credential"] else { throw malformed("it has no Credential") }
        guard let signed = parts["SignedHeaders"] else { throw malformed("it has no SignedHeaders") }
        guard let signature = parts["Signature"] else { throw malformed("it has no Signature") }
        guard let (accessKey, scope) = Self.parse(credential: credential) else {
            throw malformed("the Credential is not ACCESS-KEY/DATE/REGION/s3/aws4_request")
        }
        if let date = fields("x-amz-date") {
            self.date = date
        } else if let moment = fields("Date").flatMap({ WallTime(httpDate: $0) }) {
            date = moment.iso8601Basic
        } else {
            throw SignatureError(.dateMissing, "AWS authentication requires a valid Date or x-amz-date header.")
        }
        guard date.hasPrefix(scope.date) else {
            throw malformed("the date in the Credential is not that of the request")
        }
        self.accessKey = accessKey
        self.scope = scope
        signedFields = signed.pieces(by: ";").map { $0.lowercased() }
        self.signature = signature
        expiresSeconds = nil
    }

    /// Reads the query of a presigned URL.
    package init(query: [(name: String, value: String)]) throws(SignatureError) {
        func value(_ name: String) throws(SignatureError) -> String {
            guard let value = query.first(where: { $0.name == name })?.value, !value.isEmpty else {
                throw SignatureError(
                    .queryMalformed,
                    "Query-string authentication version 4 requires the X-Amz-Algorithm, X-Amz-Credential, "
                        + "X-Amz-Signature, "
                        + "X-Amz-Date, X-Amz-SignedHeaders, and X-Amz-Expires parameters.")
            }
            return value
        }
        guard try value("X-Amz-Algorithm") == SignatureV4.algorithm else {
            throw SignatureError(.queryMalformed, "X-Amz-Algorithm only supports \"AWS4-HMAC-SHA256\".")
        }
        guard let (accessKey, scope) = Self.parse(credential: try value("X-Amz-Credential")) else {
            throw SignatureError(
                .queryMalformed,
                "Error parsing the X-Amz-Credential parameter; the Credential is mal-formed; "
                    + "expecting \"<YOUR-AKID>/YYYYMMDD/REGION/SERVICE/aws4_request\".")
        }
        let expires = ASCII.decimal(try value("X-Amz-Expires").utf8)
        guard let expires, (1...604_800).contains(expires) else {
            throw SignatureError(.queryMalformed, "X-Amz-Expires must be between 1 and 604800 seconds.")
        }
        self.accessKey = accessKey
        self.scope = scope
        date = try value("X-Amz-Date")
        guard date.hasPrefix(scope.date) else {
            throw SignatureError(.queryMalformed, "Invalid credential date; it is not that of X-Amz-Date.")
        }
        signedFields = try value("X-Amz-SignedHeaders").pieces(by: ";").map { $0.lowercased() }
        signature = try value("X-Amz-Signature")
        expiresSeconds = Int64(expires)
    }

    /// Gives the first value of a field.
    package typealias HTTPFieldsReader = (String) -> String?

    private static func parse(credential: String) -> (String, CredentialScope)? {
        // An access key may hold slashes; the scope is the last four parts.
        let parts = credential.pieces(by: "/", omittingEmptySubsequences: false)
        guard parts.count >= 5, parts[parts.count - 1] == "aws4_request", parts[parts.count - 4].utf8.count == 8 else {
            return nil
        }
        let scope = CredentialScope(
            date: String(parts[parts.count - 4]), region: String(parts[parts.count - 3]),
            service: String(parts[parts.count - 2]))
        return (parts.dropLast(4).joined(separator: "/"), scope)
    }

    /// The moment of signing. Throws `dateMissing` when it cannot be read.
    package func moment() throws(SignatureError) -> WallTime {
        guard let moment = WallTime(iso8601: date) else {
            throw SignatureError(.dateMissing, "AWS authentication requires a valid Date or x-amz-date header.")
        }
        return moment
    }

    /// Throws when the request was signed too far from `now`: 15 minutes, or the presigned URL's own term.
    package func checkTime(now: WallTime) throws(SignatureError) {
        let skewSeconds: Int64 = 15 * 60
        let signed = try moment()
        guard let expiresSeconds else {
            guard abs(now.seconds - signed.seconds) <= skewSeconds else {
                throw SignatureError(
                    .skewed, "The difference between the request time and the server's time is too large.")
            }
            return
        }
        guard signed.seconds - now.seconds <= skewSeconds else {
            throw SignatureError(.notYetValid, "Request is not valid yet.")
        }
        guard now.seconds < signed.seconds + expiresSeconds else {
            throw SignatureError(.expired, "Request has expired.")
        }
    }
}
