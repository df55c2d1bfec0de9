import Glibc
import HTTP
import HTTPClient
import ServerTesting
import Synchronization
import Testing

/// Gives chunks one by one, as a connection's body does.
private final class ChunkSource: BodySource {
    private let left: Mutex<[[UInt8]]>
    let trailers = HTTPFields()

    init(_ chunks: [[UInt8]]) { left = Mutex(chunks) }

    func next() async throws -> [UInt8]? {
        left.withLock { $0.isEmpty ? nil : $0.removeFirst() }
    }
}

@Suite(.timeLimit(.minutes(2)))
struct HTTPClientTests {
    let client = HTTPClient()

    @Test func sendsTheRequestAsWrittenAndReadsTheAnswer() async throws {
        let head = Mutex("")
        let server = try ScriptedServer { peer in
            head.withLock { $0 = peer.readHead() ?? "" }
            peer.write("HTTP/1.1 201 Created\r\nX-One: a\r\nx-one: b\r\nContent-Length: 5\r\n\r\nhello")
        }
        let fields: HTTPFields = ["X-Test": "yes", "X-Empty": ""]
        let answer = try await client.collect(
            ClientRequest(.get, server.url("/a/../b%20c?x=1"), fields: fields), bytesMax: 100)
        #expect(answer.status == .created)
        #expect(answer.fields.values("X-ONE") == ["a", "b"])
        #expect(answer.body == Array("hello".utf8))
        let sent = head.withLock { $0 }
        #expect(sent.hasPrefix("GET /a/../b%20c?x=1 HTTP/1.1\r\nHost: 127.0.0.1:\(server.port)\r\n"))
        #expect(sent.contains("\r\nX-Test: yes\r\n"))
        #expect(sent.contains("\r\nX-Empty:\r\n"))
    }

    @Test func reusesConnections() async throws {
        let server = try ScriptedServer { peer in
            while peer.readHead() != nil { peer.write("HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok") }
        }
        for _ in 0..<50 {
            #expect(try await client.collect(ClientRequest(.get, server.url("/")), bytesMax: 10).body.count == 2)
        }
        #expect(client.statistics == HTTPClient.Statistics(transfers: 50, connections: 1))
    }

    @Test(arguments: [HTTPMethod.put, .post, .patch, .delete, .other("PROPFIND")])
    func sendsBytes(method: HTTPMethod) async throws {
        let server = try ScriptedServer { peer in
            guard let head = peer.readHead(), head.hasPrefix(method.name + " /up HTTP/1.1\r\n"),
                head.contains("\r\nContent-Length: 300000\r\n"), !head.contains("Content-Type"),
                let body = peer.readExactly(300_000)
            else { return }
            peer.write("HTTP/1.1 200 OK\r\nContent-Length: 3\r\n\r\n\(body.allSatisfy { $0 == 7 } ? "yes" : "no!")")
        }
        let bytes = [UInt8](repeating: 7, count: 300_000)
        let answer = try await client.collect(
            ClientRequest(method, server.url("/up"), body: .bytes(bytes)), bytesMax: 10)
        #expect(answer.body == Array("yes".utf8))
    }

    @Test(arguments: [HTTPMethod.put, .post])
    func sendsAnEmptyBodyWithItsLength(method: HTTPMethod) async throws {
        let server = try ScriptedServer { peer in
            let head = peer.readHead() ?? ""
            peer.write("HTTP/1.1 200 OK\r\nContent-Length: \(head.utf8.count)\r\n\r\n\(head)")
        }
        let answer = try await client.collect(ClientRequest(method, server.url("/")), bytesMax: 1000)
        #expect(String(decoding: answer.body, as: UTF8.self).contains("\r\nContent-Length: 0\r\n"))
    }

    @Test func sendsAFileRegion() async throws {
        var path = Array("/tmp/slipway-client-XXXXXX".utf8CString)
        let descriptor = mkstemp(&path)
        defer { unlink(path) }
        let bytes = (0..<200_000).map { UInt8(truncatingIfNeeded: $0) }
        #expect(write(descriptor, bytes, bytes.count) == bytes.count)
        let server = try ScriptedServer { peer in
            guard peer.readHead() != nil, let body = peer.readExactly(150_000) else { return }
            peer.write("HTTP/1.1 200 OK\r\nContent-Length: 150000\r\n\r\n")
            peer.write(body)
        }
        let region = FileRegion(descriptor: descriptor, range: 1000..<151_000) { close($0) }
        let answer = try await client.collect(
            ClientRequest(.put, server.url("/"), body: .file(region)), bytesMax: 200_000)
        #expect(answer.body == Array(bytes[1000..<151_000]))
    }

    @Test func streamsAnUploadOfUnknownLength() async throws {
        let server = try ScriptedServer { peer in
            guard let head = peer.readHead(), head.contains("Transfer-Encoding: chunked") else { return }
            if head.contains("100-continue") { peer.write("HTTP/1.1 100 Continue\r\n\r\n") }
            let count = peer.readChunked()?.count ?? -1
            peer.write("HTTP/1.1 200 OK\r\nConnection: close\r\n\r\n\(count)")
        }
        let chunks = (0..<100).map { [UInt8](repeating: UInt8($0), count: 50_000) }
        let body = RequestBody(source: ChunkSource(chunks), length: nil)
        let answer = try await client.collect(ClientRequest(.put, server.url("/"), body: .stream(body)), bytesMax: 100)
        #expect(String(decoding: answer.body, as: UTF8.self) == "5000000")
    }

    @Test func streamsADownloadWithBackPressure() async throws {
        let sent = Atomic(0)
        let server = try ScriptedServer { peer in
            guard peer.readHead() != nil else { return }
            peer.write("HTTP/1.1 200 OK\r\nContent-Length: 67108864\r\n\r\n")
            let block = [UInt8](repeating: 1, count: 65536)
            for _ in 0..<1024 where peer.write(block) { sent.add(65536, ordering: .relaxed) }
        }
        let response = try await client.execute(ClientRequest(.get, server.url("/")))
        #expect(response.body.length == 67_108_864)
        usleep(300_000)
        // Nothing was pulled yet: what left the server stands in socket buffers and our 192 KiB.
        #expect(sent.load(ordering: .relaxed) < 32 * 1024 * 1024)
        var count = 0
        while let chunk = try await response.body.next() {
            #expect(chunk.count <= 256 * 1024)
            count += chunk.count
        }
        #expect(count == 67_108_864)
    }

    @Test func deliversTrailersAndSkipsInterimAnswers() async throws {
        let server = try ScriptedServer { peer in
            guard peer.readHead() != nil else { return }
            peer.write("HTTP/1.1 103 Early Hints\r\nX-Early: 1\r\n\r\n")
            peer.write("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nab\r\n0\r\nX-Sum: 9\r\n\r\n")
        }
        let response = try await client.execute(ClientRequest(.get, server.url("/")))
        #expect(!response.fields.contains("X-Early"))
        #expect(try await response.collect(bytesMax: 10) == Array("ab".utf8))
        #expect(response.body.trailers["X-Sum"] == "9")
    }

    @Test func headHasNoBody() async throws {
        let server = try ScriptedServer { peer in
            while let head = peer.readHead(), head.hasPrefix("HEAD") {
                peer.write("HTTP/1.1 200 OK\r\nContent-Length: 12345\r\n\r\n")
            }
        }
        for _ in 0..<2 {
            let response = try await client.execute(ClientRequest(.head, server.url("/")))
            #expect(response.fields["Content-Length"] == "12345")
            #expect(try await response.collect(bytesMax: 10).isEmpty)
        }
    }

    @Test func followsRedirectsOnlyWhenAsked() async throws {
        let server = try ScriptedServer { peer in
            while let head = peer.readHead() {
                peer.write(
                    head.hasPrefix("GET /new")
                        ? "HTTP/1.1 200 OK\r\nContent-Length: 3\r\n\r\nnew"
                        : "HTTP/1.1 302 Found\r\nLocation: /new\r\nContent-Length: 3\r\n\r\nold")
            }
        }
        var request = ClientRequest(.get, server.url("/old"))
        let plain = try await client.collect(request, bytesMax: 10)
        #expect(plain.status == .found && plain.body == Array("old".utf8))
        request.followsRedirects = true
        let followed = try await client.collect(request, bytesMax: 10)
        #expect(followed.status == .ok && followed.body == Array("new".utf8))
    }

    @Test func boundsTheCollectedBody() async throws {
        let server = try ScriptedServer { peer in
            guard peer.readHead() != nil else { return }
            peer.write("HTTP/1.1 200 OK\r\nConnection: close\r\n\r\n" + String(repeating: "x", count: 2000))
        }
        await #expect(throws: BodyError.tooLarge(bytesMax: 1000)) {
            _ = try await client.collect(ClientRequest(.get, server.url("/")), bytesMax: 1000)
        }
    }

    @Test func reportsFailures() async throws {
        let mute = try ScriptedServer { peer in while peer.readHead() != nil {} }
        let liar = try ScriptedServer { peer in
            _ = peer.readHead()
            peer.write("HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\nshort")
        }
        let noise = try ScriptedServer { peer in
            _ = peer.readHead()
            peer.write("HTTP/1.1 200 OK\r\nBad Name: 1\r\n\r\n")
        }
        let unused = try ScriptedServer { _ in }.port
        #expect(await code(ClientRequest(.get, mute.url("/"), timeoutMilliseconds: 200)) == .timeout)
        #expect(await code(ClientRequest(.get, liar.url("/"))) == .closed)
        #expect(await code(ClientRequest(.get, noise.url("/"))) == .malformedResponse)
        #expect(await code(ClientRequest(.get, "http://127.0.0.1:\(unused)/")) == .unreachable)
        #expect(await code(ClientRequest(.get, "ftp://127.0.0.1/")) == .invalidRequest)
        #expect(await code(ClientRequest(.get, "http://127.0.0.1:99999/")) == .invalidRequest)
        #expect(await code(ClientRequest(.other("A B"), mute.url("/"))) == .invalidRequest)
        #expect(
            await code(ClientRequest(.get, "https://127.0.0.1:\(mute.port)/", timeoutMilliseconds: 200)) == .timeout)
    }

    private func code(_ request: ClientRequest) async -> HTTPClientError.Code? {
        do {
            _ = try await client.collect(request, bytesMax: 1000)
            return nil
        } catch {
            return (error as? HTTPClientError)?.code
        }
    }

    @Test func cancellationEndsAWaitingRequest() async throws {
        let server = try ScriptedServer { peer in while peer.readHead() != nil {} }
        let client = client
        let task = Task { try await client.execute(ClientRequest(.get, server.url("/"))) }
        try await Task.sleep(for: .milliseconds(50))
        task.cancel()
        await #expect(throws: CancellationError.self) { _ = try await task.value }
    }

    @Test func runsManyAtOnce() async throws {
        let server = try ScriptedServer { peer in
            while let head = peer.readHead() {
                let path = String(head.split(separator: " ")[1])
                peer.write("HTTP/1.1 200 OK\r\nContent-Length: \(path.utf8.count)\r\n\r\n\(path)")
            }
        }
        let client = client
        await withTaskGroup(of: Bool.self) { group in
            for index in 0..<300 {
                group.addTask {
                    let answer = try? await client.collect(ClientRequest(.get, server.url("/\(index)")), bytesMax: 100)
                    return answer.map { String(decoding: $0.body, as: UTF8.self) } == "/\(index)"
                }
            }
            for await isRight in group { #expect(isRight) }
        }
        #expect(client.statistics.connections <= 64)
    }
}
