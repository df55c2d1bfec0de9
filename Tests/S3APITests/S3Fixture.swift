import Bytes
import Clock
import Digests
import EventLoop
import HTTP
import Metrics
import Objects
import ServerTesting
import Signatures
import TestFolders

@testable import S3API

/// The S3 front of a store in a folder of its own, and a client that signs.
struct S3Fixture {
    static let user = "testuser"
    static let password = "testpassword"

    let folder = TemporaryFolder()
    let store: ObjectStore
    let service: S3Service

    init(configure: (inout S3Configuration) -> Void = { _ in }) async throws {
        store = try await ObjectStore(folder: folder.path, pool: BlockingPool(name: "test", threadCount: 4))
        var configuration = S3Configuration(
            credentials: [StoreCredential(accessKey: Self.user, secretKey: Self.password)])
        configure(&configuration)
        service = S3Service(store: store, configuration: configuration, metrics: MetricsRegistry())
    }

    /// What a test changes about a signed request.
    struct Options {
        var accessKey = S3Fixture.user
        var secretKey = S3Fixture.password
        var region = "us-east-1"
        var time = WallTime.now
        var fields: KeyValuePairs<String, String> = [:]
        /// Stands for the body in the signature; nil takes the body's SHA-256.
        var payload: String?
        /// Changes the head after it was signed.
        var tamper: (inout HTTPFields) -> Void = { _ in }
    }

    /// Sends a request signed by header. `target` is percent-encoded.
    func send(
        _ method: HTTPMethod, _ target: String, _ body: [UInt8] = [], _ options: Options = Options()
    ) async throws -> TestResponse {
        let scope = CredentialScope(options.time, region: options.region)
        let date = options.time.iso8601Basic
        let payload = options.payload ?? Hex.encode(SHA256.hash(body))
        var fields: HTTPFields = ["Host": "127.0.0.1:9000", "x-amz-date": date, "x-amz-content-sha256": payload]
        for (name, value) in options.fields { fields.append(name, value) }
        if !body.isEmpty || method == .put { fields.append("Content-Length", "\(body.count)") }
        let parts = target.split(separator: "?", maxSplits: 1)
        let signed = fields.all.map { $0.name.lowercased() }.filter { $0 != "content-length" }.sorted()
        let canonical = SignatureV4.canonicalRequest(
            method: method.name, path: PercentCoding.decode(parts[0]) ?? "",
            query: try S3Query(parts.count > 1 ? parts[1] : "").pairs, fields: fields, signedFields: signed,
            payloadHash: payload)
        let signature = SignatureV4.sign(
            canonicalRequest: canonical, date: date, scope: scope,
            signingKey: SignatureV4.signingKey(secret: options.secretKey, scope: scope))
        fields.append(
            "Authorization",
            "AWS4-HMAC-SHA256 Credential=\(options.accessKey)/\(scope.text), "
                + "SignedHeaders=\(signed.joined(separator: ";")), "
                + "Signature=\(signature)")
        options.tamper(&fields)
        return try await execute(method, target, fields, body)
    }

    /// Sends a request as it is.
    func execute(
        _ method: HTTPMethod, _ target: String, _ fields: HTTPFields = ["Host": "h"], _ body: [UInt8] = []
    ) async throws -> TestResponse {
        let answer = Answer()
        try await withTestClient(.inProcess, handler: service.handler) { client in
            answer.response = try await client.execute(method, target, fields: fields, body: body)
        }
        guard let response = answer.response else { throw CancellationError() }
        return response
    }
}

/// Carries the response out of the closure that a test client lives in.
private final class Answer: @unchecked Sendable {
    var response: TestResponse?
}

extension TestResponse {
    /// The text of the first element called `name` in the body.
    func element(_ name: String) -> String? {
        guard let start = text.range(of: "<\(name)>"), let end = text.range(of: "</\(name)>") else { return nil }
        return String(text[start.upperBound..<end.lowerBound])
    }

    var errorCode: String? { element("Code") }
}

extension String {
    fileprivate func range(of text: String) -> Range<Index>? {
        var start = startIndex
        while start < endIndex {
            if self[start...].hasPrefix(text) { return start..<index(start, offsetBy: text.count) }
            start = index(after: start)
        }
        return nil
    }
}
