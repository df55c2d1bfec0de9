// A listening socket on one loop. Connections are handed to whichever loop has the fewest, before their first read:
// `SO_REUSEPORT` would let the kernel's hash put a few long-lived connections all on one loop, and would let a second
// process bind the same port unnoticed.

import CLinux
import Glibc
import Synchronization

/// Why a port could not be listened on.
package enum ListenError: Error, Equatable {
    case badAddress(String)
    /// A numeric address that no interface of this machine has.
    case foreignAddress(String)
    case inUse(address: String, port: Int)
    case failed(SystemError)
    /// The certificate or its key cannot be used.
    case certificate(TLSError)
}

/// Accepts connections for a group of loops.
package final class Listener: @unchecked Sendable {
    // `channel` and `isPaused` are confined to `loop`.
    private let descriptor: Int32
    private let loop: EventLoop
    private let connectionCountMax: Int
    private var channel: Channel?
    private var isPaused = false
    private var isStopped = false
    private var reserve: Int32
    private let isStopping = Atomic(false)
    private let openCount = Atomic<Int>(0)
    private let onAccept: @Sendable (Int32) -> Void

    /// The bound port, also when 0 was asked for.
    package let port: Int

    /// Binds and listens; nothing is accepted before `start()`.
    package init(
        host: String, port: Int, loop: EventLoop, connectionCountMax: Int, onAccept: @escaping @Sendable (Int32) -> Void
    ) throws(ListenError) {
        let (bound, boundPort) = try Self.bind(host: host, port: port)
        descriptor = bound
        self.port = boundPort
        self.loop = loop
        self.connectionCountMax = connectionCountMax
        self.onAccept = onAccept
        reserve = open("/dev/null", O_RDONLY | O_CLOEXEC)
    }

    /// The port that could be listened on at this moment, another than asked for when that is 0.
    package static func bindablePort(host: String, port: Int) throws(ListenError) -> Int {
        let (descriptor, bound) = try bind(host: host, port: port)
        System.close(descriptor)
        return bound
    }

    private static func bind(host: String, port: Int) throws(ListenError) -> (descriptor: Int32, port: Int) {
        guard let address = SocketAddress(host: host, port: port) else { throw .badAddress(host) }
        let flags = Int32(SOCK_STREAM.rawValue | SOCK_NONBLOCK.rawValue | SOCK_CLOEXEC.rawValue)
        let descriptor = socket(address.family, flags, 0)
        guard descriptor >= 0 else { throw .failed(SystemError(call: "socket", code: errno)) }
        do throws(SystemError) {
            try System.setOption(descriptor, level: SOL_SOCKET, SO_REUSEADDR, 1)
        } catch {
            System.close(descriptor)
            throw .failed(error)
        }
        guard address.withSockaddr({ Glibc.bind(descriptor, $0, $1) }) == 0, listen(descriptor, 1024) == 0 else {
            let code = errno
            System.close(descriptor)
            switch code {
            case EADDRINUSE: throw .inUse(address: host, port: port)
            case EADDRNOTAVAIL: throw .foreignAddress(host)
            default: throw .failed(SystemError(call: "bind", code: code))
            }
        }
        var storage = sockaddr_storage()
        var length = socklen_t(MemoryLayout<sockaddr_storage>.size)
        _ = withUnsafeMutablePointer(to: &storage) {
            $0.withMemoryRebound(to: sockaddr.self, capacity: 1) { getsockname(descriptor, $0, &length) }
        }
        return (descriptor, SocketAddress(storage).port)
    }

    /// Begins accepting.
    package func start() {
        loop.execute { self.resume() }
    }

    /// Stops accepting and closes the socket. The port refuses connections, and is free, before this returns.
    package func stop() {
        guard !isStopping.exchange(true, ordering: .relaxed) else { return }
        // The loop closes the descriptor in its own time; a socket that is shut down no longer listens.
        shutdown(descriptor, Int32(SHUT_RDWR))
        loop.execute {
            self.isStopped = true
            if let channel = self.channel { self.loop.deregister(channel) }
            self.channel = nil
            System.close(self.descriptor)
            if self.reserve >= 0 { System.close(self.reserve) }
        }
    }

    /// Call once for each accepted connection that has ended.
    package func connectionEnded() {
        let left = openCount.wrappingSubtract(1, ordering: .relaxed).newValue
        if left == connectionCountMax - 1 { loop.execute { if self.isPaused { self.resume() } } }
    }

    private func resume() {
        guard !isStopped, channel == nil else { return }
        isPaused = false
        let raw = Channel(descriptor: descriptor, loop: loop)
        raw.onReadable = { [unowned self] in self.acceptSome() }
        do throws(SystemError) { try loop.register(raw, edgeTriggered: false) } catch { return }
        channel = raw
    }

    private func pause() {
        isPaused = true
        if let channel { loop.deregister(channel) }
        channel = nil
    }

    private func acceptSome() {
        for _ in 0..<64 {
            guard openCount.load(ordering: .relaxed) < connectionCountMax else { return pause() }
            do throws(SystemError) {
                let accepted = try System.accept(descriptor)
                openCount.wrappingAdd(1, ordering: .relaxed)
                try? System.setOption(accepted, level: Int32(IPPROTO_TCP), TCP_NODELAY, 1)
                onAccept(accepted)
            } catch {
                switch error.code {
                case EAGAIN: return
                case EMFILE, ENFILE: return refuseOne()
                default: continue
                }
            }
        }
    }

    /// Out of descriptors: accept with the reserved one and close, so that the peer is told instead of left waiting.
    private func refuseOne() {
        if reserve >= 0 { System.close(reserve) }
        if let accepted = try? System.accept(descriptor) { System.close(accepted) }
        reserve = open("/dev/null", O_RDONLY | O_CLOEXEC)
    }
}
