import Bytes
import HTTP
import Server
import ServerTesting
import Signatures
import Synchronization

@testable import Console

/// A store that believes one credential, keeps the last request, and answers a few calls.
final class StubStore: Sendable {
    struct Seen: Sendable {
        var method = HTTPMethod.get
        var target = ""
        var fields = HTTPFields()
        var body: [UInt8] = []
    }

    static let credential = SigningCredential(accessKey: "root", secretKey: "root-secret")
    private let last = Mutex(Seen())

    var seen: Seen { last.withLock { $0 } }

    @Sendable func respond(to request: Request) async throws -> Response {
        let body = try await request.body.collect(bytesMax: 1 << 20)
        last.withLock {
            $0 = Seen(method: request.method, target: request.head.target, fields: request.fields, body: body)
        }
        if request.path == "/minio/v2/metrics/bucket" {
            return Response(text: "minio_bucket_usage_object_total{bucket=\"data\"} 3\n")
        }
        guard isSigned(request) else {
            return xml(.forbidden, "<Error><Code>SignatureDoesNotMatch</Code><Message>no</Message></Error>")
        }
        switch (request.method, request.path) {
        case (.get, "/"):
            return xml(
                .ok,
                "<ListAllMyBucketsResult><Buckets><Bucket><Name>data</Name>"
                    + "<CreationDate>2026-01-01T00:00:00Z</CreationDate></Bucket></Buckets></ListAllMyBucketsResult>")
        case (.get, "/data/page.html"):
            var response = Response(contentType: "text/html", Array("<script>alert(1)</script>".utf8))
            response.fields.append("x-amz-meta-owner", "me")
            response.fields.append("Set-Cookie", "stolen=1")
            return response
        case (.delete, "/data"):
            return xml(.conflict, "<Error><Code>BucketNotEmpty</Code><Message>not empty</Message></Error>")
        default: return Response()
        }
    }

    private func isSigned(_ request: Request) -> Bool {
        guard let text = request.fields["Authorization"], let path = PercentCoding.decode(request.path),
            let claim = try? SignatureClaim(authorization: text, fields: { request.fields[$0] }),
            claim.accessKey == Self.credential.accessKey
        else { return false }
        let key = SignatureV4.signingKey(secret: Self.credential.secretKey, scope: claim.scope)
        let verified: Void? = try? claim.verify(
            method: request.method.name, path: path, query: request.queryItems, fields: request.fields,
            payloadHash: "UNSIGNED-PAYLOAD", signingKey: key)
        return verified != nil
    }

    private func xml(_ status: HTTPStatus, _ text: String) -> Response {
        Response(status, contentType: "application/xml", Array(text.utf8))
    }
}

/// A console before a stub store, and what a browser keeps of it.
struct ConsoleFixture {
    let client: any TestClient
    let store: StubStore

    /// Cookie and token of a new session.
    func logIn() async throws -> HTTPFields {
        let answer = try await client.execute(
            .post, "/console/session", body: Array(#"{"user":"root","password":"root-secret"}"#.utf8))
        let cookie = answer.fields["Set-Cookie"]?.split(separator: ";").first.map(String.init) ?? ""
        let token = answer.text.split(separator: "\"").first { $0.utf8.count == 64 }.map(String.init) ?? ""
        return ["Cookie": cookie, "X-CSRF-Token": token]
    }
}

func withConsole(
    scope: ConsoleConfiguration.Scope = .everything, limits: ConsoleLimits = ConsoleLimits(),
    _ mode: TestMode = .inProcess,
    _ test: (ConsoleFixture) async throws -> Void
) async throws {
    let store = StubStore()
    try await withTestServer(handler: store.respond) { server in
        var configuration = ConsoleConfiguration(storeURL: "http://127.0.0.1:\(server.port)/")
        configuration.trackURL = configuration.storeURL
        configuration.limits = limits
        configuration.scope = scope
        let handler = ConsoleService(configuration: configuration).handler
        try await withTestClient(mode, handler: handler) { client in
            try await test(ConsoleFixture(client: client, store: store))
        }
    }
}
