import EventLoop
import Glibc
import Testing

@testable import Cluster

/// Real sockets on the loopback network.
struct ServiceProxyTests {
    /// A blocking listener on a free port of `address` that answers each connection with `text` and what it was sent.
    private func server(_ address: String, _ text: String) -> Int {
        let descriptor = socket(AF_INET, Int32(SOCK_STREAM.rawValue), 0)
        var place = sockaddr_in()
        place.sin_family = sa_family_t(AF_INET)
        inet_pton(AF_INET, address, &place.sin_addr)
        withUnsafePointer(to: &place) {
            $0.withMemoryRebound(to: sockaddr.self, capacity: 1) { _ = bind(descriptor, $0, 16) }
        }
        listen(descriptor, 16)
        var length = socklen_t(16)
        withUnsafeMutablePointer(to: &place) {
            $0.withMemoryRebound(to: sockaddr.self, capacity: 1) { _ = getsockname(descriptor, $0, &length) }
        }
        Thread.start(name: "test-server") {
            while true {
                let client = accept(descriptor, nil, nil)
                guard client >= 0 else { return }
                var all = Array(text.utf8)
                var buffer = [UInt8](repeating: 0, count: 65536)
                // Reads to the end before it answers: only a half-closed connection gets this far.
                while true {
                    let count = read(client, &buffer, buffer.count)
                    guard count > 0 else { break }
                    all += buffer[..<count]
                }
                var sent = 0
                while sent < all.count {
                    let count = all[sent...].withUnsafeBytes { write(client, $0.baseAddress, $0.count) }
                    guard count > 0 else { break }
                    sent += count
                }
                close(client)
            }
        }
        return Int(UInt16(bigEndian: place.sin_port))
    }

    /// What comes back for `bytes`; nil when the connection is refused or reset.
    private func ask(_ frontend: Frontend, _ bytes: [UInt8]) async throws -> [UInt8]? {
        let loop = EventLoopGroup.shared.loops[0]
        return await withUnsafeContinuation { continuation in
            loop.spawn { continuation.resume(returning: await self.exchange(frontend, bytes, loop)) }
        }
    }

    private func exchange(_ frontend: Frontend, _ bytes: [UInt8], _ loop: EventLoop) async -> [UInt8]? {
        guard
            let stream = try? await Connector.connect(
                host: frontend.address, port: frontend.port, loop: loop, timeoutMilliseconds: 60_000)
        else { return nil }
        defer { stream.close() }
        guard (try? await stream.write(bytes, timeoutMilliseconds: 60_000)) != nil else { return nil }
        stream.transport.finishSending()
        var answer: [UInt8] = []
        let slab = UnsafeMutableRawBufferPointer.allocate(byteCount: 65536, alignment: 16)
        defer { slab.deallocate() }
        while true {
            guard let count = try? await stream.read(into: slab, timeoutMilliseconds: 60_000) else { return nil }
            if count == 0 { return answer }
            answer += slab.prefix(count)
        }
    }

    @Test func connectionsGoRoundAndHalfClosesPass() async throws {
        let ports = [server("127.63.0.1", "one "), server("127.63.0.2", "two ")]
        let frontend = Frontend(address: "127.63.128.1", port: 18_001)
        let proxy = ServiceProxy()
        defer { proxy.stop() }
        let backends = [
            Backend(address: "127.63.0.1", port: ports[0]), Backend(address: "127.63.0.2", port: ports[1]),
        ]
        #expect(proxy.set(frontend, backends) == nil)
        var answers: [String] = []
        for _ in 0..<4 {
            let answer = try #require(try await ask(frontend, Array("hello".utf8)))
            answers.append(String(decoding: answer, as: UTF8.self))
        }
        #expect(answers.filter { $0 == "one hello" }.count == 2 && answers.filter { $0 == "two hello" }.count == 2)
        let large = [UInt8](repeating: 7, count: 3_000_000)
        #expect(try await ask(frontend, large)?.count == 3_000_004)
    }

    @Test func aBrokenEndpointIsPassedOverAndNoneMeansRefused() async throws {
        let port = server("127.63.0.3", "ok ")
        let frontend = Frontend(address: "127.63.128.2", port: 18_002)
        let proxy = ServiceProxy()
        defer { proxy.stop() }
        #expect(
            proxy.set(frontend, [Backend(address: "127.63.0.4", port: 1), Backend(address: "127.63.0.3", port: port)])
                == nil)
        for _ in 0..<3 { #expect(try await ask(frontend, [])?.count == 3) }
        _ = proxy.set(frontend, [Backend(address: "127.63.0.4", port: 1)])
        // A reset arrives as the end of input without a byte.
        #expect((try await ask(frontend, [1]) ?? []).isEmpty)
        _ = proxy.set(frontend, [])
        #expect(try await ask(frontend, [1]) == nil && proxy.frontends.isEmpty)
    }

    @Test func anAddressInUseIsSaid() {
        let frontend = Frontend(address: "127.63.128.3", port: 18_003)
        let backend = Backend(address: "127.63.0.4", port: 1)
        let one = ServiceProxy()
        let two = ServiceProxy()
        defer { one.stop() }
        #expect(one.set(frontend, [backend]) == nil)
        #expect(two.set(frontend, [backend]) == .inUse(address: "127.63.128.3", port: 18_003))
    }
}
