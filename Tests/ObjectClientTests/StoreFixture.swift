import EventLoop
import HTTPClient
import Metrics
import ObjectClient
import Objects
import S3API
import Server
import ServerTesting
import Signatures
import TestFolders

/// What a test does with a real store over a socket.
typealias StoreTest = (ObjectClient) async throws -> Void

/// Runs `test` with a client for a store in a folder of its own that holds the bucket `box`.
func withStore(_ test: StoreTest) async throws {
    let folder = TemporaryFolder()
    let store = try await ObjectStore(folder: folder.path, pool: BlockingPool(name: "test", threadCount: 4))
    let configuration = S3Configuration(credentials: [StoreCredential(accessKey: "tester", secretKey: "secret-secret")])
    let service = S3Service(store: store, configuration: configuration, metrics: MetricsRegistry())
    try await withTestServer(handler: service.handler) { server in
        let client = makeClient(port: server.port)
        try await client.makeBucket("box")
        try await test(client)
    }
}

func makeClient(port: Int, user: String = "tester", secret: String = "secret-secret") -> ObjectClient {
    ObjectClient(
        endpoint: ObjectEndpoint(
            url: "http://127.0.0.1:\(port)/", credential: SigningCredential(accessKey: user, secretKey: secret)),
        // Of its own: a port that another test's server had may come again, and with it a connection that is kept.
        client: HTTPClient())
}

/// A client of a server that answers every request with the same bytes and hangs up.
func scripted(_ answer: String) throws -> (server: ScriptedServer, client: ObjectClient) {
    let server = try ScriptedServer { peer in
        guard let head = peer.readHead() else { return }
        let length = head.split(separator: "\r\n").first { $0.lowercased().hasPrefix("content-length:") }
        _ = length.flatMap { Int($0.drop { $0 != " " }.dropFirst()) }.map { peer.readExactly($0) }
        // The client must not use a connection again that ends here.
        let closing = "\r\nConnection: close\r\nContent-Length:"
        peer.write(answer.replacing("\r\nContent-Length:", with: closing, maxReplacements: 1))
    }
    return (server, makeClient(port: server.port))
}

/// An answer with a body of XML.
func xml(_ body: String, status: String = "200 OK") -> String {
    let text = "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n" + body
    return "HTTP/1.1 \(status)\r\nContent-Type: application/xml\r\nContent-Length: \(text.utf8.count)\r\n\r\n\(text)"
}

/// The error that `body` throws; nil when it throws none or another kind. Called outside of `#expect`: the compiler (6.3.1)
/// may take a closure within the macro's arguments for another one of the same function.
func refusal(_ body: () async throws -> Void) async -> ObjectClientError? {
    do {
        try await body()
        return nil
    } catch {
        return error as? ObjectClientError
    }
}
