// A blocking one-thread-per-connection server whose every byte a test decides, so that a client meets closed, slow and
// malformed peers as well as good ones.

import EventLoop
import Glibc
import Synchronization

/// One accepted connection of a `ScriptedServer`; used by its thread only.
package struct ScriptedConnection {
    let descriptor: Int32
    /// 0 for the first connection the server accepted, then 1, and so on.
    package let index: Int

    /// Reads up to and including the blank line; nil when the peer has closed.
    package func readHead() -> String? {
        var head: [UInt8] = []
        while !head.suffix(4).elementsEqual([13, 10, 13, 10]) {
            guard let byte = readExactly(1)?.first else { return nil }
            head.append(byte)
        }
        return String(decoding: head, as: UTF8.self)
    }

    package func readExactly(_ count: Int) -> [UInt8]? {
        var bytes: [UInt8] = []
        var block = [UInt8](repeating: 0, count: 65536)
        while bytes.count < count {
            let got = recv(descriptor, &block, min(block.count, count - bytes.count), 0)
            guard got > 0 else { return nil }
            bytes.append(contentsOf: block[..<got])
        }
        return bytes
    }

    package func readLine() -> String? {
        var line: [UInt8] = []
        while let byte = readExactly(1)?.first {
            if byte == 10 { return String(decoding: line.filter { $0 != 13 }, as: UTF8.self) }
            line.append(byte)
        }
        return nil
    }

    /// Reads a chunked body to its end.
    package func readChunked() -> [UInt8]? {
        var body: [UInt8] = []
        while let line = readLine(), let size = Int(line, radix: 16) {
            guard let chunk = readExactly(size), readLine() != nil else { return nil }
            if size == 0 { return body }
            body += chunk
        }
        return nil
    }

    /// False when the peer has gone.
    @discardableResult
    package func write(_ text: String) -> Bool { write(Array(text.utf8)) }

    @discardableResult
    package func write(_ bytes: [UInt8]) -> Bool {
        var sent = 0
        while sent < bytes.count {
            let count = bytes[sent...].withUnsafeBytes { block in
                send(descriptor, block.baseAddress, block.count, Int32(MSG_NOSIGNAL))
            }
            guard count > 0 else { return false }
            sent += count
        }
        return true
    }
}

/// Listens on a free port of 127.0.0.1 until it is dropped.
package final class ScriptedServer: Sendable {
    package let port: Int
    private let listener: Int32

    package init(_ script: @escaping @Sendable (ScriptedConnection) -> Void) throws {
        // Other tests start processes: none of them may hold these sockets open.
        listener = socket(AF_INET, Int32(SOCK_STREAM.rawValue | SOCK_CLOEXEC.rawValue), 0)
        var address = sockaddr_in()
        address.sin_family = sa_family_t(AF_INET)
        address.sin_addr.s_addr = UInt32(0x7f00_0001).bigEndian
        var length = socklen_t(MemoryLayout<sockaddr_in>.size)
        let listener = listener
        let isListening = withUnsafeMutablePointer(to: &address) { pointer in
            pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) { raw in
                bind(listener, raw, length) == 0 && listen(listener, 64) == 0
                    && getsockname(listener, raw, &length) == 0
            }
        }
        guard isListening else { throw Failure() }
        port = Int(UInt16(bigEndian: address.sin_port))
        Thread.start(name: "scripted") {
            var index = 0
            while true {
                let descriptor = accept(listener, nil, nil)
                guard descriptor >= 0 else { return }
                _ = fcntl(descriptor, F_SETFD, FD_CLOEXEC)
                let connection = ScriptedConnection(descriptor: descriptor, index: index)
                index += 1
                Thread.start(name: "scripted") {
                    script(connection)
                    close(descriptor)
                }
            }
        }
    }

    deinit {
        shutdown(listener, Int32(SHUT_RDWR))
        close(listener)
    }

    package func url(_ path: String) -> String { "http://127.0.0.1:\(port)\(path)" }

    struct Failure: Error {}
}
