import EventLoop
import Glibc
import HTTP
import Server
import ServerTesting
import Testing

/// Slow peers and cold files over HTTP/2 and HTTP/1.
@Suite struct HTTP2PatienceTests {
    private static let pool = BlockingPool(name: "patience2", threadCount: 4)

    @Test func endsABodyThatTrickles() async throws {
        let configure = { (configuration: inout ServerConfiguration) in
            configuration.limits.bodyTimeoutMilliseconds = 600
            configuration.limits.lingerMilliseconds = 300
        }
        let collect: Handler = { Response(contentType: "text/plain", try await $0.body.collect(bytesMax: 1 << 20)) }
        try await withTestServer(configure: configure, handler: collect) { server in
            let port = server.port
            try await Self.pool.run {
                let connection = try RawConnection(port: port, timeoutSeconds: 1)
                try connection.send(HTTP2Peer.preface + HTTP2Peer.frame(1, 4, 1, HTTP2Peer.head(method: 0x83)))
                // Each byte comes well within a wait's limit. The handler answers nothing before the body's end, so a
                // head on the stream is the refusal.
                var sentCount = 0
                var answered = false
                while sentCount < 200, !answered {
                    try connection.send(HTTP2Peer.frame(0, 0, 1, [65]))
                    sentCount += 1
                    usleep(50_000)
                    answered = try Self.frames(connection).contains { $0 == (1, 1) }
                }
                #expect(answered && sentCount < 200)
            }
        }
    }

    /// The (type, stream) of the frames that have arrived.
    private static func frames(_ connection: RawConnection) throws -> [(UInt8, UInt8)] {
        var found: [(UInt8, UInt8)] = []
        while connection.hasInput {
            let head = try connection.read(9)
            _ = try connection.read(Int(head[1]) << 8 | Int(head[2]))
            found.append((head[3], head[8]))
        }
        return found
    }

    @Test func readsAFileThatIsNotInMemory() async throws {
        let bytes = (0..<5_000_000).map { UInt8(truncatingIfNeeded: $0 &* 31 ^ $0 >> 9) }
        // On the disk's file system: one in memory is never cold.
        var template = Array("/var/tmp/slipway-cold-XXXXXX".utf8CString)
        let descriptor = mkstemp(&template)
        try #require(descriptor >= 0)
        unlink(template)
        defer { close(descriptor) }
        _ = bytes.withUnsafeBytes { write(descriptor, $0.baseAddress, $0.count) }
        fsync(descriptor)
        let handler: Handler = { _ in
            Response(body: .file(FileRegion(descriptor: descriptor, range: 100..<4_900_000) { _ in }))
        }
        try await withTestServer(handler: handler) { server in
            for _ in 0..<3 {
                posix_fadvise(descriptor, 0, 0, POSIX_FADV_DONTNEED)
                let port = server.port
                let body = try await Self.pool.run {
                    let connection = try RawConnection(port: port)
                    try connection.send("GET / HTTP/1.1\r\nHost: h\r\n\r\n")
                    return try connection.readResponse().body
                }
                #expect(body == Array(bytes[100..<4_900_000]))
            }
        }
    }
}
