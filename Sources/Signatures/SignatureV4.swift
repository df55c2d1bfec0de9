// AWS Signature Version 4: the parts that signing and checking share. Source: "Signature calculations for the
// Authorization header" in the Amazon S3 API reference.
//
// The canonical request is made from decoded values encoded again, so that a client that escapes more or less than
// needed, or writes a space as `+`, still gets the same text.

import Bytes
package import Clock
import Digests
package import HTTP

/// An access key with its secret.
package struct SigningCredential: Sendable {
    package let accessKey: String
    package let secretKey: String

    package init(accessKey: String, secretKey: String) {
        self.accessKey = accessKey
        self.secretKey = secretKey
    }
}

/// Day, region and service that a signing key is good for.
package struct CredentialScope: Sendable, Hashable {
    /// `20261121`.
    package let date: String
    package let region: String
    package let service: String

    package init(date: String, region: String, service: String = "s3") {
        self.date = date
        self.region = region
        self.service = service
    }

    package init(_ moment: WallTime, region: String, service: String = "s3") {
        self.init(date: String(moment.iso8601Basic.prefix(8)), region: region, service: service)
    }

    /// `20261121/us-east-1/s3/aws4_request`.
    package var text: String { "\(date)/\(region)/\(service)/aws4_request" }
}

/// The calculations of the signature.
package enum SignatureV4 {
    package static let algorithm = "AWS4-HMAC-SHA256"
    /// Hexadecimal SHA-256 of no bytes.
    package static let emptyHash = "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"

    /// The key of one day, region and service.
    package static func signingKey(secret: String, scope: CredentialScope) -> [UInt8] {
        var key = Array("AWS4\(secret)".utf8)
        for part in [scope.date, scope.region, scope.service, "aws4_request"] {
            key = HMACSHA256.authenticate(key: key, message: Array(part.utf8))
        }
        return key
    }

    /// The lower-case hexadecimal signature of a canonical request.
    package static func sign(
        canonicalRequest: [UInt8], date: String, scope: CredentialScope, signingKey: [UInt8]
    ) -> String {
        var text: [UInt8] = []
        text.append("\(algorithm)\n\(date)\n\(scope.text)\n")
        text.append(Hex.encode(SHA256.hash(canonicalRequest)))
        return Hex.encode(HMACSHA256.authenticate(key: signingKey, message: text))
    }

    /// The text whose hash is signed.
    ///
    /// - Parameters:
    ///   - path: decoded.
    ///   - query: decoded pairs, without `X-Amz-Signature`.
    ///   - signedFields: lower-case names, sorted.
    ///   - payloadHash: hexadecimal SHA-256, or one of the words that stand for it.
    package static func canonicalRequest(
        method: String, path: String, query: [(name: String, value: String)], fields: HTTPFields,
        signedFields: [String],
        payloadHash: String
    ) -> [UInt8] {
        var out: [UInt8] = []
        out.reserveCapacity(512)
        out.append("\(method)\n")
        out.append(PercentCoding.encode(path.isEmpty ? "/" : path, keepingSlash: true))
        out.append("\n")
        let encoded = query.map { (PercentCoding.encode($0.name), PercentCoding.encode($0.value)) }
            .sorted {
                $0.0 == $1.0
                    ? $0.1.utf8.lexicographicallyPrecedes($1.1.utf8) : $0.0.utf8.lexicographicallyPrecedes($1.0.utf8)
            }
        for (index, pair) in encoded.enumerated() {
            if index > 0 { out.append("&") }
            out.append(pair.0)
            out.append("=")
            out.append(pair.1)
        }
        out.append("\n")
        for name in signedFields {
            out.append(name)
            out.append(":")
            for (index, value) in fields.values(name).enumerated() {
                if index > 0 { out.append(",") }
                appendTrimmed(value, to: &out)
            }
            out.append("\n")
        }
        out.append("\n")
        out.append(signedFields.joined(separator: ";"))
        out.append("\n")
        out.append(payloadHash)
        return out
    }

    /// Appends a value without spaces at its ends and with runs of them as one.
    private static func appendTrimmed(_ value: String, to out: inout [UInt8]) {
        var pendingSpace = false
        var isStart = true
        for byte in value.utf8 {
            if byte == UInt8(ascii: " ") || byte == UInt8(ascii: "\t") {
                pendingSpace = !isStart
                continue
            }
            if pendingSpace { out.append(UInt8(ascii: " ")) }
            pendingSpace = false
            isStart = false
            out.append(byte)
        }
    }
}
