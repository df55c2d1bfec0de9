// A TCP proxy before PostgreSQL that breaks the connection around a COMMIT, as a network or a server does.

import EventLoop
import Glibc
import Synchronization

final class FaultyProxy: Sendable {
    enum Fault: Sendable {
        /// The server never sees the COMMIT.
        case beforeCommit
        /// The server commits and the answer is lost.
        case afterCommit
        /// As `afterCommit`, and no connection is made afterwards.
        case goneForGood
    }

    /// One connection through the proxy; once cut, nothing comes back.
    private final class Link: Sendable {
        let isCut = Atomic<Bool>(false)
    }

    private struct State {
        var fault: Fault?
        var isTriggered = false
    }

    let port: Int
    private let target: Int
    private let listener: Int32
    private let state = Mutex(State())

    init(to target: Int) throws {
        self.target = target
        listener = socket(AF_INET, Int32(SOCK_STREAM.rawValue), 0)
        var address = Self.local(0)
        var length = socklen_t(MemoryLayout<sockaddr_in>.size)
        withUnsafeMutablePointer(to: &address) { [listener] in
            $0.withMemoryRebound(to: sockaddr.self, capacity: 1) {
                _ = bind(listener, $0, length)
                getsockname(listener, $0, &length)
            }
        }
        listen(listener, 16)
        port = Int(UInt16(bigEndian: address.sin_port))
        Thread.start(name: "proxy") { [self] in accepting() }
    }

    /// The next COMMIT breaks the connection.
    func arm(_ fault: Fault) { state.withLock { $0 = State(fault: fault) } }
    var wasTriggered: Bool { state.withLock { $0.isTriggered } }

    private static func local(_ port: Int) -> sockaddr_in {
        var address = sockaddr_in()
        address.sin_family = sa_family_t(AF_INET)
        address.sin_port = UInt16(port).bigEndian
        address.sin_addr.s_addr = UInt32(0x7f00_0001).bigEndian
        return address
    }

    private func accepting() {
        while true {
            let client = accept(listener, nil, nil)
            guard client >= 0 else { return }
            let isGone = state.withLock { $0.isTriggered && $0.fault == .goneForGood }
            let server = socket(AF_INET, Int32(SOCK_STREAM.rawValue), 0)
            var address = Self.local(target)
            let connected = withUnsafeMutablePointer(to: &address) {
                $0.withMemoryRebound(to: sockaddr.self, capacity: 1) {
                    connect(server, $0, socklen_t(MemoryLayout<sockaddr_in>.size))
                }
            }
            guard !isGone, connected == 0 else {
                _ = close(client)
                _ = close(server)
                continue
            }
            let link = Link()
            Thread.start(name: "proxy-up") { [self] in pump(client, server, link, watching: true) }
            Thread.start(name: "proxy-down") { [self] in pump(server, client, link, watching: false) }
        }
    }

    /// Copies until either side closes or the fault strikes.
    private func pump(_ from: Int32, _ to: Int32, _ link: Link, watching: Bool) {
        var buffer = [UInt8](repeating: 0, count: 1 << 16)
        while true {
            let count = recv(from, &buffer, buffer.count, 0)
            guard count > 0 else { break }
            if watching, let fault = strike(buffer[..<count]) {
                link.isCut.store(true, ordering: .sequentiallyConsistent)
                if fault != .beforeCommit {
                    send(to, buffer, count, Int32(MSG_NOSIGNAL))
                    // Time to commit; the answer is thrown away.
                    usleep(200_000)
                }
                break
            }
            if link.isCut.load(ordering: .sequentiallyConsistent) { continue }
            guard send(to, buffer, count, Int32(MSG_NOSIGNAL)) == count else { break }
        }
        shutdown(from, Int32(SHUT_RDWR))
        shutdown(to, Int32(SHUT_RDWR))
    }

    private func strike(_ bytes: ArraySlice<UInt8>) -> Fault? {
        guard String(decoding: bytes, as: UTF8.self).contains("COMMIT") else { return nil }
        return state.withLock { state in
            guard let fault = state.fault, !state.isTriggered else { return nil }
            state.isTriggered = true
            return fault
        }
    }
}
