import Bytes
import EventLoop
import HTTP
import Synchronization

/// Sends the answer to one request and decides whether the connection lives on.
final class HTTP1ResponseSender: @unchecked Sendable {
    // Confined to the connection's loop.
    private let connection: HTTP1Connection
    private let request: Request
    private let parsed: ParsedRequestHead
    private let body: HTTP1Body?
    private(set) var bodyBytesSent = 0

    init(connection: HTTP1Connection, request: Request, parsed: ParsedRequestHead, body: HTTP1Body?) {
        self.connection = connection
        self.request = request
        self.parsed = parsed
        self.body = body
    }

    private var timeout: UInt64 { connection.limits.bodyTimeoutMilliseconds }

    /// Gathers a small, whole answer on a connection that lives on, without an `await`; false when it is not one.
    func sendAtOnce(_ response: Response) -> Bool {
        let bytes: [UInt8]
        switch response.body {
        case .empty: bytes = []
        case .bytes(let held) where held.count <= HTTP1Connection.outBytesMax / 2: bytes = held
        default: return false
        }
        guard parsed.keepsAlive, body?.isFinished ?? true, connection.out.count < HTTP1Connection.outBytesMax / 2 else {
            return false
        }
        ResponseHeadWriter.append(
            response, framing: framing(of: response), closes: false,
            keepsAliveExplicitly: parsed.head.version == .http10, trailing: connection.worker.headEnd,
            to: &connection.out)
        if request.method != .head, !response.status.forbidsBody {
            connection.out.append(contentsOf: bytes)
            bodyBytesSent = bytes.count
        }
        return true
    }

    /// Sends `response`; true when the connection may serve another request.
    func send(_ response: Response, isDraining: Bool) async throws -> Bool {
        if case .upgrade(let takeOver) = response.body {
            try await upgrade(response, takeOver)
            return false
        }
        let framing = framing(of: response)
        let readsOn = body.map { $0.isFinished || $0.isWorthDraining() } ?? true
        let keepsAlive = parsed.keepsAlive && !isDraining && readsOn && framing != .untilClose
        ResponseHeadWriter.append(
            response, framing: framing, closes: !keepsAlive,
            keepsAliveExplicitly: keepsAlive && parsed.head.version == .http10, trailing: connection.worker.headEnd,
            to: &connection.out)
        if request.method != .head, !response.status.forbidsBody { try await sendBody(response.body, framing) }
        if keepsAlive {
            try await drainBody()
            return true
        }
        try await connection.flush()
        await connection.closeGracefully()
        return false
    }

    private func framing(of response: Response) -> ResponseFraming {
        if response.status.forbidsBody { return .absent }
        switch response.body {
        case .empty:
            return request.method == .head && response.fields.contains("Content-Length") ? .absent : .length(0)
        case .bytes(let bytes): return .length(bytes.count)
        case .file(let region): return .length(Int(region.range.upperBound - region.range.lowerBound))
        case .stream(let length?, _): return .length(length)
        case .stream(nil, _): return parsed.head.version == .http10 ? .untilClose : .chunked
        case .upgrade: return .absent
        }
    }

    private func sendBody(_ body: ResponseBody, _ framing: ResponseFraming) async throws {
        switch body {
        case .empty, .upgrade: break
        case .bytes(let bytes):
            try await append(bytes)
        case .file(let region):
            try await send(region, more: false)
        case .stream(let length, let produce):
            let writer = HTTP1BodyWriter(sender: self, isChunked: framing == .chunked, length: length)
            try await produce(writer)
            try await writer.finish()
        }
    }

    /// Sends body bytes: small ones are gathered, large ones go to the kernel without a copy.
    func append(_ bytes: [UInt8], more: Bool = false) async throws {
        bodyBytesSent += bytes.count
        if connection.out.count + bytes.count <= HTTP1Connection.outBytesMax {
            connection.out.append(contentsOf: bytes)
            return
        }
        try await connection.flush(more: true)
        try await connection.stream.write(bytes, more: more, timeoutMilliseconds: timeout)
    }

    func send(_ region: FileRegion, more: Bool) async throws {
        bodyBytesSent += Int(region.range.upperBound - region.range.lowerBound)
        try await connection.flush(more: true)
        try await connection.stream.sendFile(region.descriptor, range: region.range, timeoutMilliseconds: timeout)
    }

    func appendFraming(_ append: (inout [UInt8]) -> Void) { append(&connection.out) }

    func flush() async throws { try await connection.flush() }

    func flushIfLarge() async throws {
        if connection.out.count >= HTTP1Connection.outBytesMax { try await connection.flush() }
    }

    /// Reads and drops what the handler left of the body; its length is known to be small.
    private func drainBody() async throws {
        guard let body, !body.isFinished else { return }
        try await connection.flush()
        while try await body.next() != nil {}
    }

    private func upgrade(
        _ response: Response, _ takeOver: @Sendable (any UpgradedConnection) async throws -> Void
    ) async throws {
        precondition(response.status == .switchingProtocols, "an upgrade answers 101")
        ResponseHeadWriter.append(
            response, framing: .absent, closes: false, keepsAliveExplicitly: false, trailing: connection.worker.headEnd,
            to: &connection.out)
        try await connection.flush()
        do {
            try await takeOver(HTTP1Upgrade(connection: connection))
        } catch {
            await connection.closeGracefully()
            throw error
        }
        // What was sent last must reach a peer that is still sending.
        await connection.closeGracefully()
    }
}

/// A streamed HTTP/1 body being written.
private final class HTTP1BodyWriter: BodyWriter, @unchecked Sendable {
    // Confined to the connection's loop.
    private let sender: HTTP1ResponseSender
    private let isChunked: Bool
    private var left: Int?
    private var trailers = HTTPFields()

    init(sender: HTTP1ResponseSender, isChunked: Bool, length: Int?) {
        self.sender = sender
        self.isChunked = isChunked
        left = length
    }

    func setTrailers(_ fields: HTTPFields) { trailers = fields }

    func write(_ bytes: [UInt8]) async throws {
        guard !bytes.isEmpty else { return }
        try Task.checkCancellation()
        try take(bytes.count)
        begin(bytes.count)
        try await sender.append(bytes, more: isChunked)
        try await end()
    }

    func write(_ file: FileRegion) async throws {
        let count = Int(file.range.upperBound - file.range.lowerBound)
        guard count > 0 else { return }
        try Task.checkCancellation()
        try take(count)
        begin(count)
        try await sender.send(file, more: isChunked)
        try await end()
    }

    func flush() async throws { try await sender.flush() }

    /// Writes the last chunk. A body shorter than its declared length is an error, so that the connection closes and
    /// the peer does not take a part for the whole.
    func finish() async throws {
        if let left, left != 0 { throw BodyError.truncated }
        guard isChunked else { return }
        sender.appendFraming { out in
            out.append("0\r\n")
            for (name, value) in trailers.all { out.append("\(name): \(value)\r\n") }
            out.append("\r\n")
        }
    }

    private func take(_ count: Int) throws {
        guard let left else { return }
        guard count <= left else { throw BodyError.tooLarge(bytesMax: left) }
        self.left = left - count
    }

    private func begin(_ count: Int) {
        guard isChunked else { return }
        sender.appendFraming { out in
            out.append(hexadecimal: UInt64(count))
            out.append("\r\n")
        }
    }

    private func end() async throws {
        if isChunked { sender.appendFraming { $0.append("\r\n") } }
        try await sender.flushIfLarge()
    }
}
