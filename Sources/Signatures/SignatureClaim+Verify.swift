import Bytes
package import HTTP

extension SignatureClaim {
    /// Throws `fieldsNotSigned` or `mismatch` unless the request was signed with `signingKey`.
    ///
    /// - Parameters:
    ///   - path: decoded.
    ///   - query: decoded pairs, as they came.
    package func verify(
        method: String, path: String, query: [(name: String, value: String)], fields: HTTPFields, payloadHash: String,
        signingKey: [UInt8]
    ) throws(SignatureError) {
        guard signedFields.contains("host") else {
            throw SignatureError(.fieldsNotSigned, "The Host header must be signed.")
        }
        for (name, _) in fields.all {
            let lower = name.lowercased()
            guard lower.hasPrefix("x-amz-"), !signedFields.contains(lower) else { continue }
            // A presigned URL's holder may say what the body is; everything else was left for the signer to say.
            guard isPresigned, lower == "x-amz-content-sha256" else {
                throw SignatureError(
                    .fieldsNotSigned, "There were headers present in the request which were not signed: \(lower)")
            }
        }
        let request = SignatureV4.canonicalRequest(
            method: method, path: path, query: query.filter { !(isPresigned && $0.name == "X-Amz-Signature") },
            fields: fields, signedFields: signedFields.sorted { $0.utf8.lexicographicallyPrecedes($1.utf8) },
            payloadHash: payloadHash)
        let expected = SignatureV4.sign(canonicalRequest: request, date: date, scope: scope, signingKey: signingKey)
        guard ConstantTime.equal(expected.utf8, signature.utf8) else {
            throw SignatureError(
                .mismatch,
                "The request signature we calculated does not match the signature you provided. "
                    + "Check your key and signing method, and that no proxy changed the Host header.")
        }
    }
}
