// Every system call of the network layer, each in a function of its own that reads errno at once: `@inline(never)`
// keeps reference counting from running between the call and the read. EINTR is retried here and nowhere else.

import CLinux
import Glibc

/// A failed system call.
package struct SystemError: Error, Equatable, CustomStringConvertible {
    package let call: String
    package let code: Int32

    package init(call: String, code: Int32) {
        self.call = call
        self.code = code
    }

    package var description: String { "\(call): \(String(cString: strerror(code)))" }
}

enum System {
    @inline(never)
    private static func check(_ call: String, _ body: () -> Int) throws(SystemError) -> Int {
        while true {
            let result = body()
            if result >= 0 { return result }
            let code = errno
            if code != EINTR { throw SystemError(call: call, code: code) }
        }
    }

    static func epollCreate() throws(SystemError) -> Int32 {
        Int32(try check("epoll_create1") { Int(epoll_create1(Int32(EPOLL_CLOEXEC))) })
    }

    static func eventDescriptor() throws(SystemError) -> Int32 {
        Int32(try check("eventfd") { Int(eventfd(0, Int32(EFD_CLOEXEC | EFD_NONBLOCK))) })
    }

    static func epollControl(
        _ epoll: Int32, _ operation: Int32, _ descriptor: Int32, events: UInt32, token: UInt64
    ) throws(SystemError) {
        var event = epoll_event()
        event.events = events
        event.data.u64 = token
        _ = try check("epoll_ctl") { Int(epoll_ctl(epoll, operation, descriptor, &event)) }
    }

    /// Waits for events; zero when none came or a signal did.
    @inline(never)
    static func epollWait(_ epoll: Int32, _ events: UnsafeMutableBufferPointer<epoll_event>, timeout: Int32) -> Int {
        let count = epoll_wait(epoll, events.baseAddress, Int32(events.count), timeout)
        return max(0, Int(count))
    }

    @inline(never)
    static func signal(eventDescriptor: Int32) {
        var one: UInt64 = 1
        _ = Glibc.write(eventDescriptor, &one, 8)
    }

    @inline(never)
    static func drain(eventDescriptor: Int32) {
        var count: UInt64 = 0
        _ = Glibc.read(eventDescriptor, &count, 8)
    }

    static func accept(_ listener: Int32) throws(SystemError) -> Int32 {
        Int32(try check("accept4") { Int(slipway_accept4(listener, nil, nil)) })
    }

    static func close(_ descriptor: Int32) { _ = Glibc.close(descriptor) }

    static func setOption(_ descriptor: Int32, level: Int32, _ option: Int32, _ value: Int32) throws(SystemError) {
        var value = value
        _ = try check("setsockopt") { Int(setsockopt(descriptor, level, option, &value, socklen_t(4))) }
    }

    static func receive(_ descriptor: Int32, _ buffer: UnsafeMutableRawBufferPointer, peeking: Bool = false) -> IOResult
    {
        result { Glibc.recv(descriptor, buffer.baseAddress, buffer.count, peeking ? Int32(MSG_PEEK) : 0) }
    }

    static func send(_ descriptor: Int32, _ bytes: UnsafeRawBufferPointer, more: Bool) -> IOResult {
        let flags = Int32(MSG_NOSIGNAL) | (more ? Int32(MSG_MORE) : 0)
        return result { Glibc.send(descriptor, bytes.baseAddress, bytes.count, flags) }
    }

    /// Reads a pipe or terminal; a terminal whose other end has gone is at its end.
    static func read(_ descriptor: Int32, _ buffer: UnsafeMutableRawBufferPointer) -> IOResult {
        let outcome = result { Glibc.read(descriptor, buffer.baseAddress, buffer.count) }
        return outcome == .failed(EIO) ? .closed : outcome
    }

    static func write(_ descriptor: Int32, _ bytes: UnsafeRawBufferPointer) -> IOResult {
        result { Glibc.write(descriptor, bytes.baseAddress, bytes.count) }
    }

    static func sendFile(_ socket: Int32, file: Int32, offset: Int64, count: Int) -> IOResult {
        var position = off_t(offset)
        return result { sendfile(socket, file, &position, count) }
    }

    /// Reads file bytes; 0 at the end of the file, negative when it cannot be read.
    static func readFile(_ file: Int32, _ buffer: UnsafeMutableRawBufferPointer, offset: Int64) -> Int {
        (try? check("pread") { pread(file, buffer.baseAddress, buffer.count, off_t(offset)) }) ?? -1
    }

    /// Reads file bytes only if they are in memory; nil when the disk would have to be waited for, else as `readFile`.
    @inline(never)
    static func readCached(_ file: Int32, _ buffer: UnsafeMutableRawBufferPointer, offset: Int64) -> Int? {
        let count = slipway_pread_cached(file, buffer.baseAddress, buffer.count, offset)
        return count == -EAGAIN ? nil : count
    }

    /// A non-blocking socket on its way to `address`.
    static func connect(to address: SocketAddress) throws(SystemError) -> Int32 {
        let flags = Int32(SOCK_STREAM.rawValue | SOCK_NONBLOCK.rawValue | SOCK_CLOEXEC.rawValue)
        let descriptor = Int32(try check("socket") { Int(socket(address.family, flags, 0)) })
        try? setOption(descriptor, level: Int32(IPPROTO_TCP), TCP_NODELAY, 1)
        let result = address.withSockaddr { Glibc.connect(descriptor, $0, $1) }
        let code = errno
        guard result == 0 || code == EINPROGRESS || code == EINTR else {
            close(descriptor)
            throw SystemError(call: "connect", code: code)
        }
        return descriptor
    }

    /// How a connection attempt ended: 0 or an error code.
    static func pendingError(_ descriptor: Int32) -> Int32 {
        var code: Int32 = 0
        var length = socklen_t(4)
        return getsockopt(descriptor, SOL_SOCKET, SO_ERROR, &code, &length) == 0 ? code : errno
    }

    /// Closing drops what is unsent and resets the connection.
    static func discardOnClose(_ descriptor: Int32) {
        var none = linger(l_onoff: 1, l_linger: 0)
        _ = setsockopt(descriptor, SOL_SOCKET, SO_LINGER, &none, socklen_t(MemoryLayout<linger>.size))
    }

    static func shutdownWrite(_ descriptor: Int32) { _ = shutdown(descriptor, Int32(SHUT_WR)) }

    /// The peer's address as `host:port`, or the empty text.
    static func peerName(_ descriptor: Int32) -> String {
        var storage = sockaddr_storage()
        var length = socklen_t(MemoryLayout<sockaddr_storage>.size)
        let failed = withUnsafeMutablePointer(to: &storage) {
            $0.withMemoryRebound(to: sockaddr.self, capacity: 1) { getpeername(descriptor, $0, &length) }
        }
        return failed == 0 ? SocketAddress(storage).description : ""
    }

    @inline(never)
    private static func result(_ body: () -> Int) -> IOResult {
        while true {
            let count = body()
            if count > 0 { return .bytes(count) }
            if count == 0 { return .closed }
            switch errno {
            case EINTR: continue
            case EAGAIN: return .wouldBlock
            case EPIPE, ECONNRESET: return .closed
            case let code: return .failed(code)
            }
        }
    }
}

/// What one attempt to move bytes came to.
package enum IOResult: Equatable, Sendable {
    case bytes(Int)
    case wouldBlock
    /// End of input, or the peer has gone.
    case closed
    case failed(Int32)
}
