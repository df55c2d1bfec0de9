import Digests
import EventLoop
import Formats
import HTTP
import HTTPClient
import Server
import Synchronization
import TestFolders
import Testing

@testable import Images
@testable import OCI

/// A registry that wants a token, as Docker Hub does: a server of our own with one image.
private final class TokenRegistry: Sendable {
    let server: Server
    let manifest: [UInt8]
    private let configuration = Array(#"{"os":"linux","config":{"Cmd":["true"]}}"#.utf8)
    private let requests = Mutex<[String]>([])
    /// What is sent in the place of the configuration.
    let replacement = Mutex<[UInt8]?>(nil)
    /// The one that is good at the moment.
    let token = Mutex("T")

    init(layers: [JSON] = []) throws {
        func blob(_ bytes: [UInt8]) -> JSON {
            ["digest": .string(Digest(bytes: SHA256.hash(bytes)).text), "size": JSON(bytes.count)]
        }
        let document: JSON = ["schemaVersion": 2, "config": blob(configuration), "layers": .array(layers)]
        manifest = document.encoded
        let answer = Mutex<(@Sendable (Request) -> Response)?>(nil)
        server = Server(configuration: ServerConfiguration(role: "test", address: "127.0.0.1", port: 0)) { request in
            answer.withLock { $0 }?(request) ?? Response(text: "")
        }
        try server.start()
        answer.withLock { $0 = { [unowned self] in self.answer($0) } }
    }

    var host: String { "127.0.0.1:\(server.port)" }
    var seen: [String] { requests.withLock { $0 } }

    private func answer(_ request: Request) -> Response {
        let authorization = request.fields["Authorization"] ?? "-"
        requests.withLock { $0.append("\(request.path) \(authorization)") }
        if request.path == "/token" {
            guard request.queryValue("scope") == "repository:a/b:pull", request.queryValue("service") == "the registry"
            else { return Response(text: "wrong scope") }
            return Response(contentType: "application/json", Array("{\"token\":\"\(token.withLock { $0 })\"}".utf8))
        }
        guard authorization == "Bearer \(token.withLock { $0 })" else {
            var response = Response(text: "")
            response.status = .unauthorized
            response.fields.append(
                "WWW-Authenticate", #"Bearer realm="http://\#(host)/token",service="the registry""#)
            return response
        }
        if request.path.hasPrefix("/v2/a/b/manifests/") {
            return Response(contentType: "application/vnd.oci.image.manifest.v1+json", manifest)
        }
        return Response(contentType: "application/octet-stream", replacement.withLock { $0 } ?? configuration)
    }
}

struct RegistryClientTests {
    private let registry: TokenRegistry
    private let folder = TemporaryFolder()

    init() throws { registry = try TokenRegistry() }

    private func reference(_ text: String) throws -> ImageReference { try #require(ImageReference(text)) }

    private func client(_ name: String, _ credentials: [RegistryCredential] = []) throws -> RegistryClient {
        RegistryClient(
            try reference("\(registry.host)/\(name)"), credentials: credentials, insecure: [], client: HTTPClient())
    }

    @Test func aTokenIsFetchedWithTheLogInAndUsedFromThenOn() async throws {
        let client = try client("a/b:v1", [RegistryCredential(host: registry.host, user: "me", password: "secret")])
        let (bytes, digest) = try await client.manifest("v1")
        #expect(bytes == registry.manifest && digest == Digest(bytes: SHA256.hash(bytes)))
        guard case .image(let configuration, _) = try ImageManifest(bytes, architecture: "amd64") else {
            Issue.record("no image")
            return
        }
        _ = try await client.document(configuration)
        #expect(registry.seen.count == 4)
        #expect(registry.seen[0].hasSuffix(" -") && registry.seen[1] == "/token Basic bWU6c2VjcmV0")
        #expect(registry.seen[3].hasSuffix(" Bearer T"))
    }

    @Test func aTokenThatExpiresIsFetchedAgain() async throws {
        let client = try client("a/b:v1")
        _ = try await client.manifest("v1")
        registry.token.withLock { $0 = "U" }
        _ = try await client.manifest("v1")
        #expect(registry.seen.last?.hasSuffix(" Bearer U") == true)
        #expect(registry.seen.filter { $0.hasPrefix("/token") }.count == 2)
    }

    @Test func anImageThatWouldNotFitIsRefusedBeforeItComes() async throws {
        let layer: JSON = [
            "digest": .string("sha256:" + String(repeating: "0", count: 64)), "size": 1_000_001,
            "mediaType": "application/vnd.oci.image.layer.v1.tar+gzip",
        ]
        let registry = try TokenRegistry(layers: [layer])
        var settings = ImageSettings(folder: folder.path)
        settings.bytesMax = 1_000_000
        let store = ImageStore(settings: settings, client: HTTPClient())
        let reference = try reference("\(registry.host)/a/b:v1")
        let error = await #expect(throws: ImageError.self) { _ = try await store.pull(reference, credentials: []) }
        #expect(
            error?.message.contains("1000001 bytes packed") == true && error?.message.contains("--image-space") == true)
        #expect(!registry.seen.contains { $0.contains("sha256:0000") })
    }

    @Test func aLogInForAnotherRegistryIsNotSent() async throws {
        let client = try client("a/b:v1", [RegistryCredential(host: "other.io", user: "me", password: "secret")])
        _ = try await client.manifest("v1")
        #expect(registry.seen.allSatisfy { !$0.contains("Basic") })
    }

    @Test func aBlobThatIsNotItsDigestIsRefused() async throws {
        let client = try client("a/b:v1")
        let bytes = try await client.manifest("v1").bytes
        guard case .image(let configuration, _) = try ImageManifest(bytes, architecture: "amd64") else { return }
        registry.replacement.withLock { $0 = Array("another".utf8) }
        let error = await #expect(throws: ImageError.self) { _ = try await client.document(configuration) }
        #expect(error?.code == .malformed && error?.message.contains(configuration.digest.text) == true)
        let layer = await #expect(throws: ImageError.self) { try await client.layer(configuration) { _ in } }
        #expect(layer?.code == .malformed)
        let wanted = "sha256:" + String(repeating: "0", count: 64)
        let manifest = await #expect(throws: ImageError.self) { _ = try await client.manifest(wanted) }
        #expect(manifest?.code == .malformed)
    }

    @Test func anImageWithoutLayersIsRefusedByName() async throws {
        var settings = ImageSettings(folder: folder.path)
        settings.registry = registry.host
        let store = ImageStore(settings: settings, client: HTTPClient())
        let reference = try #require(store.located(try self.reference("a/b:v1")))
        let error = await #expect(throws: ImageError.self) { _ = try await store.pull(reference, credentials: []) }
        #expect(error?.code == .unsupported && error?.message.contains("it has no layers") == true)
        #expect(store.located(reference) == reference)
    }

    @Test func aRegistryThatIsNotThereSaysSo() async throws {
        let store = ImageStore(settings: ImageSettings(folder: folder.path), client: HTTPClient())
        // A port that nobody listens on: the registry has it on the other address.
        let host = "127.0.0.9:\(registry.server.port)"
        let reference = try self.reference("\(host)/a")
        let error = await #expect(throws: ImageError.self) { _ = try await store.pull(reference, credentials: []) }
        #expect(error?.code == .unreachable && error?.message.contains("registry \(host) does not answer") == true)
        #expect(store.located(try self.reference("a")) == nil)
    }
}
