// The signing side of Signature Version 4, for clients of a store: by header, and as a URL that carries its signature.

import Bytes
package import Clock
package import HTTP

/// Signs requests to one region with one credential. Bodies are not hashed (`UNSIGNED-PAYLOAD`): they stream.
package struct RequestSigner: Sendable {
    package let credential: SigningCredential
    package let region: String

    package init(credential: SigningCredential, region: String) {
        self.credential = credential
        self.region = region
    }

    private static let unsigned = "UNSIGNED-PAYLOAD"

    /// `fields` with `Host`, date, payload hash and `Authorization`; every `x-amz-*` field is signed.
    ///
    /// - Parameters:
    ///   - host: the authority that the request will name.
    ///   - path: decoded.
    ///   - query: decoded pairs.
    package func sign(
        _ method: HTTPMethod, host: String, path: String, query: [(name: String, value: String)], fields: HTTPFields,
        now: WallTime = .now
    ) -> HTTPFields {
        var fields = fields
        let scope = CredentialScope(now, region: region)
        fields["Host"] = host
        fields["x-amz-date"] = now.iso8601Basic
        fields["x-amz-content-sha256"] = Self.unsigned
        let amazon = Set(fields.all.map { $0.name.lowercased() }.filter { $0.hasPrefix("x-amz-") })
        let signed = (["host"] + amazon).sorted { $0.utf8.lexicographicallyPrecedes($1.utf8) }
        let canonical = SignatureV4.canonicalRequest(
            method: method.name, path: path, query: query, fields: fields, signedFields: signed,
            payloadHash: Self.unsigned)
        fields["Authorization"] =
            "\(SignatureV4.algorithm) Credential=\(credential.accessKey)/\(scope.text), "
            + "SignedHeaders=\(signed.joined(separator: ";")), Signature=\(signature(canonical, scope, now))"
        return fields
    }

    /// The URL of `path` below `base` that anybody may `method` for `expiresSeconds` (1 to 604800) from `now`.
    ///
    /// - Parameter base: scheme and authority, `http://127.0.0.1:9000`, without a slash at its end.
    package func presign(
        _ method: HTTPMethod, base: String, path: String, query: [(name: String, value: String)] = [],
        expiresSeconds: Int, now: WallTime = .now
    ) -> String {
        let scope = CredentialScope(now, region: region)
        let host = base.firstRange(of: "://").map { String(base[$0.upperBound...]) } ?? base
        var fields = HTTPFields()
        fields.append("Host", host)
        let signed =
            query + [
                (name: "X-Amz-Algorithm", value: SignatureV4.algorithm),
                (name: "X-Amz-Credential", value: "\(credential.accessKey)/\(scope.text)"),
                (name: "X-Amz-Date", value: now.iso8601Basic),
                (name: "X-Amz-Expires", value: "\(expiresSeconds)"),
                (name: "X-Amz-SignedHeaders", value: "host"),
            ]
        let canonical = SignatureV4.canonicalRequest(
            method: method.name, path: path, query: signed, fields: fields, signedFields: ["host"],
            payloadHash: Self.unsigned)
        let pairs = (signed + [(name: "X-Amz-Signature", value: signature(canonical, scope, now))])
            .map { "\(PercentCoding.encode($0.name))=\(PercentCoding.encode($0.value))" }
        return base + PercentCoding.encode(path, keepingSlash: true) + "?" + pairs.joined(separator: "&")
    }

    private func signature(_ canonical: [UInt8], _ scope: CredentialScope, _ now: WallTime) -> String {
        SignatureV4.sign(
            canonicalRequest: canonical, date: now.iso8601Basic, scope: scope,
            signingKey: SignatureV4.signingKey(secret: credential.secretKey, scope: scope))
    }
}
