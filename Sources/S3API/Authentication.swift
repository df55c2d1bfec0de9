// The one place that decides who a request acts for. It runs on the head alone: a request with bad credentials is
// answered before a byte of its body is read, and `100 Continue` is never sent for it.

import Bytes
import Clock
import HTTP
import Signatures
import Synchronization

/// What authentication found out.
struct Authenticated: Sendable {
    let identity: Identity
    let payload: PayloadKind
}

/// How the body of a request is protected.
enum PayloadKind: Sendable {
    /// Its SHA-256 was signed: lower-case hexadecimal.
    case signed(String)
    case unsigned
    /// In `aws-chunked` framing; signatures are nil when only the framing is there.
    case chunked(ChunkSignatures?, hasTrailer: Bool)
}

/// Checks signatures against the credentials of the store.
final class Authentication: Sendable {
    private let credentials: [String: (secret: String, identity: Identity)]
    /// Nil takes any region, as MinIO does when none is configured.
    private let requiredRegion: String?
    /// Signing keys of the day: four HMACs saved on each request.
    private let signingKeys = Mutex<[String: [UInt8]]>([:])

    init(credentials: [StoreCredential], requiredRegion: String?) {
        self.credentials = Dictionary(
            credentials.map { ($0.accessKey, ($0.secretKey, Identity(accessKey: $0.accessKey))) },
            uniquingKeysWith: { first, _ in first })
        self.requiredRegion = requiredRegion
    }

    /// Throws Amazon's error for whatever is wrong; `AccessDenied` for a request without credentials.
    func authenticate(
        _ request: Request, path: String, address: S3Address, query: S3Query, now: WallTime = .now
    ) throws(S3Error) -> Authenticated {
        let fields = request.fields
        do {
            if let old = try versionTwo(of: request, query) {
                guard let known = credentials[old.accessKey] else { throw S3Error(.invalidAccessKeyID) }
                try old.verify(
                    method: request.method.name, path: String(request.path), bucketOfHost: address.bucketOfHost,
                    query: query.pairs, fields: fields, secret: known.secret, now: now)
                return Authenticated(identity: known.identity, payload: .unsigned)
            }
            let claim = try claim(of: request, query)
            guard let known = credentials[claim.accessKey] else { throw S3Error(.invalidAccessKeyID) }
            try claim.checkTime(now: now)
            try check(claim.scope)
            let payload = try payloadHash(claim, fields, query)
            let key = signingKey(claim.accessKey, known.secret, claim.scope)
            try claim.verify(
                method: request.method.name, path: path, query: query.pairs, fields: fields, payloadHash: payload,
                signingKey: key)
            return Authenticated(identity: known.identity, payload: try kind(payload, claim: claim, signingKey: key))
        } catch let error as SignatureError {
            throw S3Error(error)
        } catch let error as S3Error {
            throw error
        } catch {
            throw S3Error(.internalError)
        }
    }

    /// What the request claims in its Authorization field or its query. Throws `SignatureError` or `AccessDenied`.
    private func claim(of request: Request, _ query: S3Query) throws -> SignatureClaim {
        if let authorization = request.fields["Authorization"] {
            guard !query.has("X-Amz-Signature") else {
                throw S3Error(
                    .invalidArgument,
                    "Only one auth mechanism allowed; only the X-Amz-Algorithm query parameter, Signature query string "
                        + "parameter or the Authorization header should be specified")
            }
            return try SignatureClaim(authorization: authorization) { request.fields[$0] }
        }
        if query.has("X-Amz-Signature") || query.has("X-Amz-Algorithm") {
            return try SignatureClaim(query: query.pairs)
        }
        throw S3Error(
            .accessDenied,
            "Access Denied. The request is not signed: give the client an access key and a secret key (this port speaks S3)."
        )
    }

    /// The Version 2 signature of the request, if that is what it has.
    private func versionTwo(of request: Request, _ query: S3Query) throws(SignatureError) -> SignatureV2Claim? {
        if let authorization = request.fields["Authorization"] { return SignatureV2Claim(authorization: authorization) }
        return try SignatureV2Claim(query: query.pairs)
    }

    private func check(_ scope: CredentialScope) throws(S3Error) {
        guard scope.service == "s3" else {
            throw S3Error(
                .authorizationHeaderMalformed,
                "The authorization header is malformed; incorrect service \"\(scope.service)\". "
                    + "This endpoint belongs to \"s3\"."
            )
        }
        if let requiredRegion, scope.region != requiredRegion {
            throw S3Error(
                .authorizationHeaderMalformed,
                "The authorization header is malformed; the region '\(scope.region)' is wrong; "
                    + "expecting '\(requiredRegion)'",
                details: [("Region", requiredRegion)])
        }
    }

    /// The word or hash that stands for the body in the canonical request.
    private func payloadHash(_ claim: SignatureClaim, _ fields: HTTPFields, _ query: S3Query) throws(S3Error) -> String
    {
        if let text = fields["x-amz-content-sha256"] ?? query.value("X-Amz-Content-Sha256") { return text }
        guard claim.isPresigned else {
            throw S3Error(.invalidRequest, "Missing required header for this request: x-amz-content-sha256")
        }
        return "UNSIGNED-PAYLOAD"
    }

    private func kind(_ payload: String, claim: SignatureClaim, signingKey: [UInt8]) throws(S3Error) -> PayloadKind {
        let signatures = ChunkSignatures(
            signingKey: signingKey, date: claim.date, scope: claim.scope, seed: claim.signature)
        switch payload {
        case "UNSIGNED-PAYLOAD": return .unsigned
        case "STREAMING-AWS4-HMAC-SHA256-PAYLOAD": return .chunked(signatures, hasTrailer: false)
        case "STREAMING-AWS4-HMAC-SHA256-PAYLOAD-TRAILER": return .chunked(signatures, hasTrailer: true)
        case "STREAMING-UNSIGNED-PAYLOAD-TRAILER": return .chunked(nil, hasTrailer: true)
        default:
            guard payload.utf8.count == 64, payload.utf8.allSatisfy({ Hex.digit($0) != nil }) else {
                throw S3Error(
                    .invalidArgument,
                    "x-amz-content-sha256 must be UNSIGNED-PAYLOAD, STREAMING-UNSIGNED-PAYLOAD-TRAILER, "
                        + "STREAMING-AWS4-HMAC-SHA256-PAYLOAD, STREAMING-AWS4-HMAC-SHA256-PAYLOAD-TRAILER or a valid "
                        + "sha256 value.")
            }
            return .signed(payload.lowercased())
        }
    }

    private func signingKey(_ accessKey: String, _ secret: String, _ scope: CredentialScope) -> [UInt8] {
        let name = "\(accessKey)/\(scope.text)"
        if let key = signingKeys.withLock({ $0[name] }) { return key }
        let key = SignatureV4.signingKey(secret: secret, scope: scope)
        signingKeys.withLock { keys in
            // Days pass, and a client may claim any region: what was kept is dropped when it gets long.
            if keys.count >= 64 { keys.removeAll() }
            keys[name] = key
        }
        return key
    }
}

extension S3Error {
    /// The wire form of a signature that was not believed.
    init(_ error: SignatureError) {
        let code: Code =
            switch error.code {
            case .unsupported: .invalidRequest
            case .headerMalformed: .authorizationHeaderMalformed
            case .queryMalformed: .authorizationQueryParametersError
            case .dateMissing, .expired, .notYetValid, .fieldsNotSigned: .accessDenied
            case .skewed: .requestTimeTooSkewed
            case .mismatch: .signatureDoesNotMatch
            }
        self.init(code, error.message)
    }
}
