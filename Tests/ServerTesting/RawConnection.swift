import Glibc
import HTTP

package enum TestClientError: Error {
    case connect(Int32)
    case send(Int32)
    case closed
    case timedOut
    case malformed(String)
    case unsupported(String)
}

/// A blocking TCP connection to 127.0.0.1 that sends exactly the bytes it is given: for hostile and odd requests.
package final class RawConnection {
    private let descriptor: Int32
    private var buffered: [UInt8] = []

    package init(port: Int, timeoutSeconds: Int = 10) throws {
        descriptor = socket(AF_INET, Int32(SOCK_STREAM.rawValue), 0)
        var address = sockaddr_in()
        address.sin_family = sa_family_t(AF_INET)
        address.sin_port = in_port_t(port).bigEndian
        inet_pton(AF_INET, "127.0.0.1", &address.sin_addr)
        let failed = withUnsafePointer(to: &address) {
            $0.withMemoryRebound(to: sockaddr.self, capacity: 1) {
                connect(descriptor, $0, socklen_t(MemoryLayout<sockaddr_in>.size))
            }
        }
        guard failed == 0 else { throw TestClientError.connect(errno) }
        var timeout = timeval(tv_sec: timeoutSeconds, tv_usec: 0)
        setsockopt(descriptor, SOL_SOCKET, SO_RCVTIMEO, &timeout, socklen_t(MemoryLayout<timeval>.size))
    }

    deinit { close(descriptor) }

    package func send(_ text: String) throws { try send(Array(text.utf8)) }

    package func send(_ bytes: [UInt8]) throws {
        var sent = 0
        while sent < bytes.count {
            let count = bytes.withUnsafeBytes {
                Glibc.send(descriptor, $0.baseAddress.map { $0 + sent }, bytes.count - sent, Int32(MSG_NOSIGNAL))
            }
            guard count > 0 else { throw TestClientError.send(errno) }
            sent += count
        }
    }

    package func finishSending() { shutdown(descriptor, Int32(SHUT_WR)) }

    /// True when bytes have arrived that were not read.
    package var hasInput: Bool {
        var poll = pollfd(fd: descriptor, events: Int16(POLLIN), revents: 0)
        return !buffered.isEmpty || Glibc.poll(&poll, 1, 0) > 0
    }

    /// Everything until the server closes.
    package func readToEnd() throws -> [UInt8] {
        while try fill() {}
        defer { buffered = [] }
        return buffered
    }

    /// One response; the body of an answer to HEAD is none.
    package func readResponse(toHead: Bool = false) throws -> TestResponse {
        while true {
            let head = try readUntil("\r\n\r\n")
            var lines = String(decoding: head, as: UTF8.self).split(separator: "\r\n")[...]
            let statusLine = lines.removeFirst().split(separator: " ")
            guard statusLine.count >= 2, let status = Int(statusLine[1]) else {
                throw TestClientError.malformed("status line")
            }
            var fields = HTTPFields()
            for line in lines {
                guard let colon = line.firstIndex(of: ":") else { throw TestClientError.malformed("field \(line)") }
                fields.append(String(line[..<colon]), String(line[line.index(after: colon)...].drop { $0 == " " }))
            }
            if status == 100 { continue }
            var response = TestResponse(status: status, fields: fields, body: [])
            if toHead || status < 200 || status == 204 || status == 304 { return response }
            if let length = fields["Content-Length"].flatMap({ Int($0) }) {
                response.body = try read(length)
            } else if fields["Transfer-Encoding"] == "chunked" {
                var decoder = ChunkedDecoder()
                var ended = false
                while !ended {
                    if buffered.isEmpty, try !fill() { throw TestClientError.closed }
                    let progress = try buffered.withUnsafeBufferPointer { try decoder.decode($0, into: &response.body) }
                    switch progress {
                    case .needsMore: buffered = []
                    case .ended(let consumed):
                        buffered.removeFirst(consumed)
                        ended = true
                    }
                }
                response.trailers = decoder.trailers
            } else {
                response.body = try readToEnd()
            }
            return response
        }
    }

    /// Exactly `count` bytes.
    package func read(_ count: Int) throws -> [UInt8] {
        while buffered.count < count {
            guard try fill() else { throw TestClientError.closed }
        }
        defer { buffered.removeFirst(count) }
        return Array(buffered.prefix(count))
    }

    private func readUntil(_ mark: String) throws -> [UInt8] {
        let mark = Array(mark.utf8)
        var scanned = 0
        while true {
            if buffered.count >= mark.count {
                for index in max(0, scanned - 3)...(buffered.count - mark.count)
                where buffered[index..<index + mark.count].elementsEqual(mark) {
                    defer { buffered.removeFirst(index + mark.count) }
                    return Array(buffered.prefix(index))
                }
            }
            scanned = buffered.count
            guard try fill() else { throw TestClientError.closed }
        }
    }

    private func fill() throws -> Bool {
        var chunk = [UInt8](repeating: 0, count: 64 * 1024)
        let count = recv(descriptor, &chunk, chunk.count, 0)
        if count > 0 {
            buffered += chunk.prefix(count)
            return true
        }
        if count == 0 || errno == ECONNRESET { return false }
        throw TestClientError.timedOut
    }
}

func readAll(_ region: FileRegion) throws -> [UInt8] {
    var bytes = [UInt8](repeating: 0, count: Int(region.range.upperBound - region.range.lowerBound))
    let count = bytes.withUnsafeMutableBytes {
        pread(region.descriptor, $0.baseAddress, $0.count, off_t(region.range.lowerBound))
    }
    guard count == bytes.count else { throw TestClientError.closed }
    return bytes
}
