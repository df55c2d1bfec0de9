import Bytes
import EventLoop
import Glibc
import HTTP
import Server
import ServerTesting
import Synchronization
import Testing

/// Behaviour that only a socket shows. Blocking client calls run on the test's own thread pool.
@Suite struct HTTP1ServerTests {
    private static let pool = BlockingPool(name: "raw-client", threadCount: 32)

    private func onSocket(
        _ server: Server, _ body: @escaping @Sendable (RawConnection) throws -> Void
    ) async throws {
        let port = server.port
        try await Self.pool.run { try body(try RawConnection(port: port)) }
    }

    private let echo: Handler = { request in
        Response(contentType: "application/octet-stream", try await request.body.collect(bytesMax: 8 << 20))
    }

    @Test func keepsAConnectionForManyRequests() async throws {
        try await withTestServer(handler: echo) { server in
            try await onSocket(server) { connection in
                for size in [0, 1, 100, 70_000, 1 << 20] {
                    let body = (0..<size).map { UInt8(truncatingIfNeeded: $0) }
                    try connection.send(
                        Array("POST / HTTP/1.1\r\nHost: h\r\nContent-Length: \(size)\r\n\r\n".utf8) + body)
                    #expect(try connection.readResponse().body == body)
                }
            }
        }
    }

    @Test func answersPipelinedRequestsInOrder() async throws {
        try await withTestServer(handler: { Response(text: String($0.path)) }) { server in
            try await onSocket(server) { connection in
                try connection.send((0..<50).map { "GET /\($0) HTTP/1.1\r\nHost: h\r\n\r\n" }.joined())
                for index in 0..<50 { #expect(try connection.readResponse().text == "/\(index)") }
            }
        }
    }

    @Test func takesAHeadAndABodyByteByByte() async throws {
        try await withTestServer(handler: echo) { server in
            try await onSocket(server) { connection in
                let request =
                    "POST / HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n2\r\nde\r\n0\r\n\r\n"
                for byte in request.utf8 {
                    try connection.send([byte])
                    usleep(200)
                }
                #expect(try connection.readResponse().text == "abcde")
            }
        }
    }

    @Test func sendsContinueOnlyWhenTheHandlerReads() async throws {
        let handler: Handler = { request in
            request.path == "/refuse" ? Response(.forbidden) : try await self.echo(request)
        }
        try await withTestServer(handler: handler) { server in
            try await onSocket(server) { connection in
                try connection.send(
                    "PUT /take HTTP/1.1\r\nHost: h\r\nExpect: 100-continue\r\nContent-Length: 3\r\n\r\n")
                #expect(try connection.read(25) == Array("HTTP/1.1 100 Continue\r\n\r\n".utf8))
                try connection.send("abc")
                #expect(try connection.readResponse().text == "abc")
                try connection.send(
                    "PUT /refuse HTTP/1.1\r\nHost: h\r\nExpect: 100-continue\r\nContent-Length: 3\r\n\r\n")
                let answer = String(decoding: try connection.readToEnd(), as: UTF8.self)
                #expect(answer.hasPrefix("HTTP/1.1 403"))
                #expect(answer.contains("Connection: close"))
            }
        }
    }

    @Test func deliversARefusalToAClientThatStillSends() async throws {
        try await withTestServer(handler: { _ in Response(.forbidden, text: "no") }) { server in
            try await onSocket(server) { connection in
                try connection.send("PUT / HTTP/1.1\r\nHost: h\r\nContent-Length: 100000000\r\n\r\n")
                try connection.send([UInt8](repeating: 1, count: 300_000))
                let response = try connection.readResponse()
                #expect(response.status == 403 && response.text == "no")
            }
        }
    }

    @Test func streamsInChunksWithTrailers() async throws {
        let handler: Handler = { _ in
            Response(
                body: .stream(length: nil) { writer in
                    for index in 0..<100 { try await writer.write(Array("\(index),".utf8)) }
                    writer.setTrailers(["X-Count": "100"])
                })
        }
        try await withTestServer(handler: handler) { server in
            try await onSocket(server) { connection in
                try connection.send("GET / HTTP/1.1\r\nHost: h\r\n\r\n")
                let response = try connection.readResponse()
                #expect(response.text == (0..<100).map { "\($0)," }.joined())
                #expect(response.trailers["x-count"] == "100")
                try connection.send("GET / HTTP/1.0\r\n\r\n")
                #expect(try connection.readResponse().text == (0..<100).map { "\($0)," }.joined())
            }
        }
    }

    @Test func closesWhenAStreamBreaksItsLength() async throws {
        let handler: Handler = { _ in
            Response(body: .stream(length: 10) { try await $0.write([1, 2, 3]) })
        }
        try await withTestServer(handler: handler) { server in
            try await onSocket(server) { connection in
                try connection.send("GET / HTTP/1.1\r\nHost: h\r\n\r\n")
                #expect(throws: (any Error).self) { try connection.readResponse() }
            }
        }
    }

    @Test func sendsFilesAndRangesOfThem() async throws {
        let bytes = (0..<3_000_000).map { UInt8(truncatingIfNeeded: $0 &* 31) }
        var template = Array("/tmp/slipway-test-XXXXXX".utf8CString)
        let descriptor = mkstemp(&template)
        unlink(template)
        _ = bytes.withUnsafeBytes { write(descriptor, $0.baseAddress, $0.count) }
        defer { close(descriptor) }
        let handler: Handler = { request in
            let range: Range<Int64> = request.path == "/part" ? 1000..<2_000_000 : 0..<3_000_000
            return Response(body: .file(FileRegion(descriptor: descriptor, range: range) { _ in }))
        }
        try await withTestServer(handler: handler) { server in
            try await onSocket(server) { connection in
                try connection.send("GET / HTTP/1.1\r\nHost: h\r\n\r\nGET /part HTTP/1.1\r\nHost: h\r\n\r\n")
                #expect(try connection.readResponse().body == bytes)
                #expect(try connection.readResponse().body == Array(bytes[1000..<2_000_000]))
            }
        }
    }

    @Test(arguments: [
        ("GET / HTTP/1.1\r\n\r\n", 400),
        ("GET / HTTP/1.1\nHost: h\n\n", 400),
        ("GET / HTTP/3.0\r\nHost: h\r\n\r\n", 505),
        ("POST / HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: gzip\r\n\r\n", 501),
        ("GET / HTTP/1.1\r\nHost: h\r\n" + String(repeating: "X: y\r\n", count: 200) + "\r\n", 431),
        ("GET / HTTP/1.1\r\nHost: h\r\nX: " + String(repeating: "y", count: 70_000) + "\r\n\r\n", 431),
        ("GET /" + String(repeating: "y", count: 70_000) + " HTTP/1.1\r\nHost: h\r\n\r\n", 414),
    ])
    func refusesABrokenHeadAndCloses(_ text: String, _ status: Int) async throws {
        try await withTestServer(handler: echo) { server in
            try await onSocket(server) { connection in
                try connection.send(text)
                #expect(try connection.readResponse().status == status)
                #expect(try connection.readToEnd().isEmpty)
            }
        }
    }

    @Test func answersASlowHead() async throws {
        try await withTestServer(configure: { $0.limits.headTimeoutMilliseconds = 300 }, handler: echo) { server in
            try await onSocket(server) { connection in
                try connection.send("GET / HTTP/1.1\r\n")
                #expect(try connection.readResponse().status == 408)
            }
        }
    }

    @Test func endsASlowBody() async throws {
        try await withTestServer(configure: { $0.limits.bodyTimeoutMilliseconds = 300 }, handler: echo) { server in
            try await onSocket(server) { connection in
                try connection.send("POST / HTTP/1.1\r\nHost: h\r\nContent-Length: 10\r\n\r\nabc")
                #expect(try connection.readResponse().status == 408)
            }
        }
    }

    @Test func refusesABodyOverItsLimit() async throws {
        try await withTestServer(handler: { Response(text: "\(try await $0.body.collect(bytesMax: 4).count)") }) {
            server in
            try await onSocket(server) { connection in
                try connection.send("POST / HTTP/1.1\r\nHost: h\r\nContent-Length: 5\r\n\r\nabcde")
                let response = try connection.readResponse()
                #expect(response.status == 413 && response.text.contains("larger than 4 bytes"))
            }
        }
    }

    @Test func refusesMoreRequestsThanItMayHandle() async throws {
        let handler: Handler = { _ in
            try await Task.sleep(nanoseconds: 300_000_000)
            return Response(text: "done")
        }
        try await withTestServer(configure: { $0.limits.requestsInFlightMax = 2 }, handler: handler) { server in
            let statuses = try await withThrowingTaskGroup(of: Int.self) { group in
                for _ in 0..<5 {
                    group.addTask {
                        try await Self.pool.run {
                            let connection = try RawConnection(port: server.port)
                            try connection.send("GET / HTTP/1.1\r\nHost: h\r\n\r\n")
                            return try connection.readResponse().status
                        }
                    }
                }
                return try await group.reduce(into: []) { $0.append($1) }
            }
            #expect(statuses.sorted() == [200, 200, 503, 503, 503])
        }
    }

    @Test func cancelsTheHandlerOfAPeerThatLeft() async throws {
        let cancelled = Atomic<Bool>(false)
        let handler: Handler = { _ in
            do {
                try await Task.sleep(nanoseconds: 20_000_000_000)
            } catch {
                cancelled.store(true, ordering: .relaxed)
                throw error
            }
            return Response()
        }
        try await withTestServer(handler: handler) { server in
            try await onSocket(server) { try $0.send("GET / HTTP/1.1\r\nHost: h\r\n\r\n") }
            for _ in 0..<40 where !cancelled.load(ordering: .relaxed) { try await Task.sleep(nanoseconds: 50_000_000) }
            let wasCancelled = cancelled.load(ordering: .relaxed)
            #expect(wasCancelled)
        }
    }

    @Test func finishesRequestsInFlightWhenItStops() async throws {
        let entered = Atomic<Bool>(false)
        let configuration = ServerConfiguration(role: "test", address: "127.0.0.1", port: 0)
        let server = Server(configuration: configuration) { _ in
            entered.store(true, ordering: .relaxed)
            try await Task.sleep(nanoseconds: 300_000_000)
            return Response(text: "finished")
        }
        try server.start()
        async let answer: Void = onSocket(server) { connection in
            try connection.send("GET / HTTP/1.1\r\nHost: h\r\n\r\n")
            #expect(try connection.readResponse().text == "finished")
        }
        while !entered.load(ordering: .relaxed) { try await Task.sleep(nanoseconds: 5_000_000) }
        await server.shutdown()
        try await answer
        #expect(throws: TestClientError.self) { _ = try RawConnection(port: server.port) }
    }

    @Test func saysWhenAPortIsTaken() async throws {
        try await withTestServer(handler: echo) { server in
            let second = Server(
                configuration: ServerConfiguration(role: "test", address: "127.0.0.1", port: server.port), handler: echo
            )
            #expect(throws: ListenError.inUse(address: "127.0.0.1", port: server.port)) { try second.start() }
        }
    }

    @Test func upgradesToRawBytes() async throws {
        let handler: Handler = { _ in
            Response(
                .switchingProtocols, fields: ["Upgrade": "echo", "Connection": "Upgrade"],
                body: .upgrade { connection in
                    while let bytes = try await connection.read() { try await connection.write(bytes) }
                })
        }
        try await withTestServer(handler: handler) { server in
            try await onSocket(server) { connection in
                try connection.send("GET / HTTP/1.1\r\nHost: h\r\nConnection: Upgrade\r\nUpgrade: echo\r\n\r\nearly")
                #expect(try connection.readResponse().status == 101)
                #expect(try connection.read(5) == Array("early".utf8))
                try connection.send("later")
                #expect(try connection.read(5) == Array("later".utf8))
            }
        }
    }
}
