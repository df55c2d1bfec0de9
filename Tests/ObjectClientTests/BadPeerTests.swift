import HTTP
import HTTPClient
import ServerTesting
import Synchronization
import Testing

@testable import ObjectClient

@Suite("ObjectClient and servers that are none, or hang up", .timeLimit(.minutes(1))) struct BadPeerTests {
    @Test func nobodyIsThere() async throws {
        let port = try ScriptedServer { _ in }.port
        let client = makeClient(port: port)
        let error = await refusal { _ = try await client.listBuckets() }
        #expect(error?.code == "Unreachable" && error?.status == 0 && error?.isNotFound == false)
        #expect(error?.message.hasPrefix("The object store at http://127.0.0.1:\(port) did not answer: ") == true)
    }

    @Test func theServerHangsUpBeforeItAnswers() async throws {
        let (server, client) = try scripted("")
        for call in Self.calls {
            let error = await refusal { try await call.run(client) }
            #expect(error?.code == "Unreachable", "\(call.name)")
        }
        withExtendedLifetime(server) {}
    }

    @Test(arguments: [
        "HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\n<?xml",
        "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\n<?xml\r\n",
    ])
    func aBodyThatIsCutShortIsNeverTakenForWhole(_ answer: String) async throws {
        let (server, client) = try scripted(answer)
        for call in Self.calls where call.readsBody {
            let error = await refusal { try await call.run(client) }
            #expect(error?.code == "Unreachable", "\(call.name)")
            #expect(error?.message.contains("hung up within its answer") == true, "\(call.name)")
        }
        let bytes = Mutex(0)
        let error = await refusal {
            try await client.read(bucket: "b", key: "k") { piece in bytes.withLock { $0 += piece.count } }
        }
        #expect(error?.code == "Unreachable" && bytes.withLock { $0 } == 5)
        withExtendedLifetime(server) {}
    }

    @Test func whatReadsAPieceKeepsItsOwnErrors() async throws {
        struct DiskFull: Error {}
        let (server, client) = try scripted("HTTP/1.1 200 OK\r\nContent-Length: 4\r\n\r\nabcd")
        await #expect(throws: DiskFull.self) { try await client.read(bucket: "b", key: "k") { _ in throw DiskFull() } }
        withExtendedLifetime(server) {}
    }

    @Test(arguments: [
        "HTTP/1.1 200 OK\r\nContent-Length: 15\r\n\r\n<html>hi</html>",
        "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\n{}",
        "HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n", "HTTP/1.1 404 Not Found\r\nContent-Length: 7\r\n\r\nno page",
        "HTTP/1.1 401 Unauthorized\r\nContent-Length: 2\r\n\r\n{}",
    ])
    func anotherServerIsNoStore(_ answer: String) async throws {
        let (server, client) = try scripted(answer)
        for call in Self.calls where call.readsBody {
            let error = await refusal { try await call.run(client) }
            #expect(error?.code == "MalformedAnswer" && error?.isNotFound == false, "\(call.name)")
            #expect(error?.message.hasPrefix("the server at http://127.0.0.1:\(server.port) answered") == true)
            #expect(error?.message.contains("is it the S3 API's address?") == true)
        }
    }

    @Test func errorsUnderStatus200AreErrors() async throws {
        let (server, client) = try scripted(xml("<Error><Code>SlowDown</Code><Message>Later.</Message></Error>"))
        for call in Self.calls where call.readsBody && call.name != "list" {
            let error = await refusal { try await call.run(client) }
            #expect(error == ObjectClientError(code: "SlowDown", message: "Later.", status: 200), "\(call.name)")
        }
        withExtendedLifetime(server) {}
    }

    @Test func errorsHaveTheStoresWords() async throws {
        let body = "<Error><Code>NoSuchKey</Code><Message>Nothing at &lt;k&gt;.</Message></Error>"
        let (server, client) = try scripted(xml(body, status: "404 Not Found"))
        let error = await refusal { _ = try await client.get(bucket: "b", key: "k") }
        #expect(error == ObjectClientError(code: "NoSuchKey", message: "Nothing at <k>.", status: 404))
        #expect(error.map { "\($0)" } == "NoSuchKey: Nothing at <k>.")
        withExtendedLifetime(server) {}
    }

    @Test func anAnswerWithoutABodyMaySayItsReasonInFields() async throws {
        let (server, client) = try scripted(
            "HTTP/1.1 400 Bad Request\r\nx-minio-error-code: InvalidBucketName\r\n"
                + "x-minio-error-desc: \"Too short.\"\r\nContent-Length: 0\r\n\r\n")
        let error = await refusal { _ = try await client.head(bucket: "b", key: "k") }
        #expect(error == ObjectClientError(code: "InvalidBucketName", message: "Too short.", status: 400))
        withExtendedLifetime(server) {}
    }

    @Test(arguments: [(403, "Status403", false), (404, "NotFound", true), (503, "Status503", false)])
    func anAnswerWithoutABodySaysItsStatus(_ status: Int, _ code: String, _ isNotFound: Bool) async throws {
        let (server, client) = try scripted("HTTP/1.1 \(status) Refused\r\nContent-Length: 0\r\n\r\n")
        let error = await refusal { try await client.makeBucket("b") }
        #expect(error?.code == code && error?.isNotFound == isNotFound)
        #expect(error?.message.hasPrefix("the store answered \(status) ") == true)
        #expect(error?.message.hasSuffix(" for /b without saying why") == true)
        if isNotFound {
            #expect(try await !client.bucketExists("b"))
        } else {
            let head = await refusal { _ = try await client.bucketExists("b") }
            #expect(head?.code == code)
        }
        withExtendedLifetime(server) {}
    }

    @Test func keysThatStayAreNamed() async throws {
        let body = """
            <DeleteResult><Error><Key>b&amp;</Key><Code>AccessDenied</Code><Message>Locked.</Message></Error>\
            <Error><Key>c</Key><Code>InternalError</Code></Error></DeleteResult>
            """
        let (server, client) = try scripted(xml(body))
        let outcome = try await client.delete(bucket: "b", keys: ["a", "b&", "c", "d"])
        #expect(outcome.removed == ["a", "d"] && outcome.failure?.key == "b&")
        #expect(outcome.failure?.error == ObjectClientError(code: "AccessDenied", message: "Locked.", status: 200))
        withExtendedLifetime(server) {}
    }

    @Test func aListingThatDoesNotAdvanceEnds() async throws {
        let body = "<ListBucketResult><NextContinuationToken>same</NextContinuationToken></ListBucketResult>"
        let (server, client) = try scripted(xml(body))
        let error = await refusal { _ = try await client.listAll(bucket: "b", prefix: "", countMax: 10) }
        #expect(error?.code == "MalformedAnswer" && error?.message.contains("does not advance") == true)
        withExtendedLifetime(server) {}
    }

    @Test func entriesThatMakeNoSenseAreLeftOut() async throws {
        let body = """
            <ListBucketResult><Contents><Key>a</Key><Size>many</Size></Contents><Contents><Size>1</Size></Contents>\
            <Contents><Key>b</Key><Size>2</Size><ETag>"e"</ETag><LastModified>soon</LastModified></Contents>\
            <CommonPrefixes><Prefix>p/</Prefix></CommonPrefixes></ListBucketResult>
            """
        let (server, client) = try scripted(xml(body))
        let page = try await client.list(bucket: "b")
        #expect(page.objects == [ObjectSummary(key: "b", size: 2, etag: "e", modified: nil)])
        #expect(page.commonPrefixes == ["p/"] && page.continuationToken == nil)
        withExtendedLifetime(server) {}
    }

    @Test(arguments: [
        ("s3://b", "b", "", nil), ("s3://b/", "b", "", nil), ("s3://b/k/l", "b", "k/l", nil),
        ("s3://http://h:1/b/k", "b", "k", "http://h:1"), ("s3://https://h/b", "b", "", "https://h"),
    ])
    func locations(_ text: String, _ bucket: String, _ key: String, _ endpoint: String?) throws {
        let location = try #require(ObjectLocation(text))
        #expect(location.bucket == bucket && location.key == key && location.endpoint == endpoint)
    }

    @Test(arguments: ["", "b/k", "s3://", "s3:///k", "gs://b/k", "s3://http://h:1", "s3://http://h:1/"])
    func noLocations(_ text: String) { #expect(ObjectLocation(text) == nil) }

    /// One call of each kind.
    struct Call: Sendable {
        let name: String
        /// False for one whose success is its status alone.
        let readsBody: Bool
        let run: @Sendable (ObjectClient) async throws -> Void
    }

    static let calls = [
        Call(name: "listBuckets", readsBody: true) { _ = try await $0.listBuckets() },
        Call(name: "list", readsBody: true) { _ = try await $0.list(bucket: "b") },
        Call(name: "delete", readsBody: true) { _ = try await $0.delete(bucket: "b", keys: ["k"]) },
        Call(name: "copy", readsBody: true) {
            try await $0.copy(fromBucket: "b", fromKey: "k", toBucket: "b", toKey: "l")
        },
        Call(name: "beginUpload", readsBody: true) {
            _ = try await $0.beginUpload(bucket: "b", key: "k", fields: HTTPFields())
        },
        Call(name: "completeUpload", readsBody: true) {
            try await $0.completeUpload(
                bucket: "b", key: "k", upload: "u", parts: [UploadedPart(number: 1, etag: "e")])
        },
        Call(name: "put", readsBody: false) { try await $0.put(bucket: "b", key: "k", body: .bytes([1, 2])) },
        Call(name: "head", readsBody: false) { _ = try await $0.head(bucket: "b", key: "k") },
        Call(name: "abortUpload", readsBody: false) {
            try await $0.abortUpload(bucket: "b", key: "k", upload: "u")
        },
    ]
}
