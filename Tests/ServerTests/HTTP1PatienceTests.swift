import EventLoop
import Glibc
import HTTP
import Server
import ServerTesting
import Synchronization
import Testing

/// What happens with peers that are slow, rude or greedy: none of them may smuggle, starve or outlast the others.
@Suite struct HTTP1PatienceTests {
    private static let pool = BlockingPool(name: "patience", threadCount: 16)

    private func onSocket(
        _ server: Server, _ body: @escaping @Sendable (RawConnection) throws -> Void
    ) async throws {
        let port = server.port
        try await Self.pool.run { try body(try RawConnection(port: port, timeoutSeconds: 60)) }
    }

    private let echo: Handler = { request in
        Response(contentType: "application/octet-stream", try await request.body.collect(bytesMax: 8 << 20))
    }

    @Test func neverReadsOnAfterAMalformedChunk() async throws {
        let seen = Mutex<[String]>([])
        let handler: Handler = { request in
            seen.withLock { $0.append(String(request.path)) }
            // A handler that swallows the fault must not bring the connection back to life either.
            while let chunk = try? await request.body.next(), !chunk.isEmpty {}
            return Response(text: "done")
        }
        try await withTestServer(handler: handler) { server in
            try await onSocket(server) { connection in
                try connection.send("POST /first HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nabcde")
                usleep(50_000)
                // The chunk is not followed by a line end; what comes next must never be taken for a request.
                try connection.send("Z0\r\n\r\nGET /evil HTTP/1.1\r\nHost: h\r\n\r\n")
                usleep(50_000)
                try? connection.send("\r\nGET /evil HTTP/1.1\r\nHost: h\r\n\r\n")
                let answer = String(decoding: try connection.readToEnd(), as: UTF8.self)
                #expect(answer.contains("Connection: close"))
                #expect(answer.components(of: "HTTP/1.1 ") == 1)
            }
        }
        #expect(seen.withLock { $0 } == ["/first"])
    }

    @Test func answersAMalformedChunkWith400() async throws {
        try await withTestServer(handler: echo) { server in
            try await onSocket(server) { connection in
                let head = "POST / HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: chunked\r\n\r\n"
                try connection.send(head + "xyz\r\nGET /evil HTTP/1.1\r\nHost: h\r\n\r\n")
                let answer = String(decoding: try connection.readToEnd(), as: UTF8.self)
                #expect(answer.hasPrefix("HTTP/1.1 400 "))
                #expect(answer.contains("Connection: close"))
                #expect(answer.components(of: "HTTP/1.1 ") == 1)
            }
        }
    }

    @Test func deliversAnEarlyAnswerToALongChunkedUpload() async throws {
        try await withTestServer(handler: { _ in Response(.forbidden, text: "no") }) { server in
            try await onSocket(server) { connection in
                try connection.send("PUT / HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: chunked\r\n\r\n")
                let block = [UInt8](repeating: 1, count: 64 * 1024)
                // Far more than is read and dropped to keep a connection, and than sockets hold.
                for _ in 0..<400 { try connection.send(Array("10000\r\n".utf8) + block + Array("\r\n".utf8)) }
                let response = try connection.readResponse()
                #expect(response.status == 403 && response.text == "no")
                #expect(response.fields["Connection"] == "close")
            }
        }
    }

    @Test func keepsTheConnectionAfterASmallChunkedBodyThatNobodyRead() async throws {
        try await withTestServer(handler: { Response(text: String($0.path)) }) { server in
            try await onSocket(server) { connection in
                for index in 0..<3 {
                    let head = "POST /\(index) HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: chunked\r\n\r\n"
                    try connection.send(head + "3\r\nabc\r\n0\r\n\r\n")
                    #expect(try connection.readResponse().text == "/\(index)")
                }
            }
        }
    }

    @Test func endsABodyThatTrickles() async throws {
        let configure = { (configuration: inout ServerConfiguration) in
            configuration.limits.bodyTimeoutMilliseconds = 600
            configuration.limits.lingerMilliseconds = 300
        }
        try await withTestServer(configure: configure, handler: echo) { server in
            try await onSocket(server) { connection in
                try connection.send("PUT / HTTP/1.1\r\nHost: h\r\nContent-Length: 100000\r\n\r\n")
                // Each byte comes well within the wait's limit; all of them would take hours.
                var sentCount = 0
                while sentCount < 200, (try? connection.send([65])) != nil {
                    sentCount += 1
                    usleep(50_000)
                }
                #expect(sentCount < 200)
                let answer = String(decoding: try connection.readToEnd(), as: UTF8.self)
                #expect(answer.isEmpty || answer.hasPrefix("HTTP/1.1 408 "))
            }
        }
    }

    @Test func aSlowHandlerMakesNobodySlow() async throws {
        let configure = { (configuration: inout ServerConfiguration) in
            configuration.limits.bodyTimeoutMilliseconds = 300
        }
        let handler: Handler = { request in
            var count = 0
            while let chunk = try await request.body.next() {
                count += chunk.count
                try await Task.sleep(nanoseconds: 60_000_000)
            }
            return Response(text: "\(count)")
        }
        try await withTestServer(configure: configure, handler: handler) { server in
            try await onSocket(server) { connection in
                try connection.send("PUT / HTTP/1.1\r\nHost: h\r\nContent-Length: 1000000\r\n\r\n")
                try connection.send([UInt8](repeating: 1, count: 1_000_000))
                #expect(try connection.readResponse().text == "1000000")
            }
        }
    }

    /// A reader that waits for bytes and a writer that waits for room each keep their own time.
    @Test func aWaitToReadDoesNotProlongAWaitToWrite() async throws {
        let configure = { (configuration: inout ServerConfiguration) in
            configuration.limits.bodyTimeoutMilliseconds = 500
        }
        let ended = Mutex<Double?>(nil)
        let handler: Handler = { _ in
            var fields: HTTPFields = ["Upgrade": "raw", "Connection": "Upgrade"]
            fields.append("X-Test", "1")
            return Response(
                .switchingProtocols, fields: fields,
                body: .upgrade { connection in
                    let began = clock_seconds()
                    // The reader keeps setting its own, long limit while the writer's short one runs.
                    async let reading: Void = keepReading(connection)
                    do {
                        while true { try await connection.write([UInt8](repeating: 0, count: 1 << 20)) }
                    } catch {
                        ended.withLock { $0 = clock_seconds() - began }
                    }
                    _ = await reading
                })
        }
        try await withTestServer(configure: configure, handler: handler) { server in
            try await onSocket(server) { connection in
                try connection.send("GET / HTTP/1.1\r\nHost: h\r\nUpgrade: raw\r\nConnection: Upgrade\r\n\r\n")
                // Sends, but never reads: the writer must give up all the same.
                for _ in 0..<30 {
                    guard (try? connection.send([1])) != nil else { break }
                    usleep(100_000)
                }
            }
            let seconds = try #require(ended.withLock { $0 })
            #expect(seconds < 2.5)
        }
    }

    @Test func pipelinedRequestsLetOthersHaveATurn() async throws {
        let served = Mutex(0)
        let handler: Handler = { request in
            if request.path == "/busy" {
                served.withLock { $0 += 1 }
                usleep(500)
            }
            return Response(text: "ok")
        }
        try await withTestServer(handler: handler) { server in
            let port = server.port
            try await Self.pool.run {
                // Enough connections that the loops are all busy; each pipelines far more than a turn's worth.
                let busy = try (0..<8).map { _ in try RawConnection(port: port) }
                let requests = String(repeating: "GET /busy HTTP/1.1\r\nHost: h\r\n\r\n", count: 400)
                for connection in busy { try connection.send(requests) }
                let other = try RawConnection(port: port)
                try other.send("GET /quiet HTTP/1.1\r\nHost: h\r\n\r\n")
                _ = try other.readResponse()
                #expect(served.withLock { $0 } < 8 * 400)
                for connection in busy { for _ in 0..<400 { _ = try connection.readResponse() } }
            }
        }
    }

    @Test func tellsAClientThatSpeaksTLSAtOnce() async throws {
        try await withTestServer(handler: echo) { server in
            try await onSocket(server) { connection in
                // The beginning of a ClientHello: a client that tries https first must not wait for a timeout.
                try connection.send([0x16, 3, 1, 2, 0, 1, 0, 1, 0xfc, 3, 3] + [UInt8](repeating: 7, count: 100))
                let answer = String(decoding: try connection.readToEnd(), as: UTF8.self)
                #expect(answer.hasPrefix("HTTP/1.1 400 ") && answer.contains("use an http URL"))
            }
        }
    }

    @Test func pingsASilentWebSocketAndGivesItUp() async throws {
        let isOver = Mutex(false)
        let handler: Handler = { request in
            WebSocketUpgrade.response(request, pingMilliseconds: 300) { socket in
                while try await socket.receive() != nil {}
                isOver.withLock { $0 = true }
            }
        }
        try await withTestServer(handler: handler) { server in
            try await onSocket(server) { connection in
                try connection.send(
                    "GET / HTTP/1.1\r\nHost: h\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
                        + "Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n"
                )
                _ = try connection.readResponse()
                // A ping without payload; answered, it is followed by another; unanswered, by the close.
                #expect(try connection.read(2) == [0x89, 0])
                try connection.send([0x8a, 0x80, 1, 2, 3, 4])
                #expect(try connection.read(2) == [0x89, 0])
                #expect(!isOver.withLock { $0 })
                let rest = try connection.readToEnd()
                #expect(rest.first == 0x88)
            }
        }
        #expect(isOver.withLock { $0 })
    }
}

private func keepReading(_ connection: any UpgradedConnection) async {
    while (try? await connection.read()) ?? nil != nil {}
}

private func clock_seconds() -> Double {
    var now = timespec()
    clock_gettime(CLOCK_MONOTONIC, &now)
    return Double(now.tv_sec) + Double(now.tv_nsec) / 1e9
}

extension String {
    /// How often `part` occurs.
    fileprivate func components(of part: String) -> Int {
        var count = 0
        var rest = self[...]
        while let range = rest.firstRange(of: part) {
            count += 1
            rest = rest[range.upperBound...]
        }
        return count
    }
}
