// The HTTP/1 connection: read a head, run the handler, write the answer, again. The task that runs it is the only one
// that touches its state. Nothing is read ahead of what a handler asks for, and answers are written when they are
// complete or when their buffer is full, in one send for head and small body together.

import Bytes
import Clock
import EventLoop
import HTTP
import Synchronization

/// Serves HTTP/1.0 and HTTP/1.1 on one stream. Confined to the stream's loop.
final class HTTP1Connection: ProtocolConnection, @unchecked Sendable {
    let stream: ByteStream
    let worker: Worker
    let received: ReceiveBuffer
    /// Bytes of answers not yet given to the kernel.
    var out: [UInt8] = []
    private let cancelTask: () -> Void
    private let parser: RequestHeadParser
    private var isWaitingForRequest = false
    private var isDraining = false
    private var requestCount = 0
    /// Pipelined requests served since the socket was last read.
    private var unwaitedCount = 0

    static let outBytesMax = 32 * 1024
    /// Pipelined requests after which the loop's other connections have a turn.
    private static let requestsPerTurnMax = 64
    /// An unread body up to this size is read and dropped to keep the connection; over it the connection closes.
    static let drainedBodyBytesMax = 256 * 1024

    /// `received` holds what was read to choose the protocol.
    init(stream: ByteStream, worker: Worker, received: ReceiveBuffer, cancelTask: @escaping () -> Void) {
        self.stream = stream
        self.worker = worker
        self.cancelTask = cancelTask
        limits = worker.service.limits
        self.received = received
        parser = RequestHeadParser(
            requestLineBytesMax: worker.service.limits.requestLineBytesMax,
            fieldCountMax: worker.service.limits.fieldCountMax)
    }

    let limits: ServerLimits
    private var loop: EventLoop { worker.loop }

    func drain() {
        isDraining = true
        if isWaitingForRequest { stream.channel.abort() }
    }

    func peerClosed() {
        cancelTask()
        stream.channel.abort()
    }

    /// Serves until the peer closes, asks to close, breaks the protocol, or the server drains.
    func run() async {
        do {
            while let parsed = try await nextHead() {
                guard try await serve(parsed) else { break }
                unwaitedCount += 1
                if unwaitedCount >= Self.requestsPerTurnMax {
                    unwaitedCount = 0
                    await loop.nextTurn()
                }
            }
        } catch let fault as ConnectionFault {
            try? await refuse(fault.fault)
        } catch {
            // The peer has gone, was too slow, or the server stops: nobody is left to tell.
        }
    }

    // MARK: Heads

    /// The next request head; nil when the peer closed between requests or the server drains.
    private func nextHead() async throws -> ParsedRequestHead? {
        var scanned = 0
        var deadline = loop.turnTime.advanced(milliseconds: limits.headTimeoutMilliseconds)
        while true {
            if !received.isEmpty {
                if let end = RequestHeadParser.endOfHead(received.bytes, scanned: scanned) {
                    guard end <= limits.headBytesMax else { throw headTooLong() }
                    return try parse(end)
                }
                scanned = received.count
                guard scanned < limits.headBytesMax else { throw headTooLong() }
            } else if isDraining || worker.service.isDraining.load(ordering: .relaxed) {
                return nil
            }
            if !flushNow() { try await flush() }
            if received.isEmpty, !stream.channel.mayBeReadable {
                received.releaseIfEmpty()
                isWaitingForRequest = true
                unwaitedCount = 0
                defer { isWaitingForRequest = false }
                let timeout = requestCount == 0 ? limits.headTimeoutMilliseconds : limits.idleTimeoutMilliseconds
                try await stream.channel.readable(timeoutMilliseconds: timeout)
                deadline = loop.turnTime.advanced(milliseconds: limits.headTimeoutMilliseconds)
            }
            switch stream.receiveNow(received.room()) {
            case .bytes(let count): received.received(count)
            case .closed: return nil
            case .failed(let code): throw StreamError.failed(code)
            case .wouldBlock where received.isEmpty: continue
            case .wouldBlock: try await waitForRestOfHead(deadline)
            }
        }
    }

    private func waitForRestOfHead(_ deadline: MonotonicTime) async throws {
        let now = MonotonicTime.now
        guard now < deadline else { throw ConnectionFault(.headTimeout) }
        do throws(ChannelFailure) {
            try await stream.channel.readable(
                timeoutMilliseconds: (deadline.nanoseconds - now.nanoseconds) / 1_000_000 + 1)
        } catch {
            if error == .timedOut { throw ConnectionFault(.headTimeout) }
            throw error
        }
    }

    private func parse(_ end: Int) throws -> ParsedRequestHead {
        defer { received.consume(end) }
        do throws(RequestHeadError) {
            return try parser.parse(UnsafeBufferPointer(rebasing: received.bytes[..<end]))
        } catch {
            switch error {
            case .malformed(let reason): throw ConnectionFault(.malformedRequest(reason))
            case .tooManyFields: throw ConnectionFault(.headTooLarge(bytesMax: limits.headBytesMax))
            case .requestLineTooLong: throw ConnectionFault(.requestLineTooLong(bytesMax: limits.requestLineBytesMax))
            case .versionNotSupported: throw ConnectionFault(.versionNotSupported)
            case .codingNotSupported: throw ConnectionFault(.codingNotSupported)
            }
        }
    }

    private func headTooLong() -> ConnectionFault {
        received.bytes.contains(UInt8(ascii: "\n"))
            ? ConnectionFault(.headTooLarge(bytesMax: limits.headBytesMax))
            : ConnectionFault(.requestLineTooLong(bytesMax: limits.requestLineBytesMax))
    }

    /// Answers a fault and closes in order.
    private func refuse(_ fault: ServerFault) async throws {
        let response = worker.service.faultResponse(fault)
        let bytes: [UInt8] = if case .bytes(let bytes) = response.body { bytes } else { [] }
        ResponseHeadWriter.append(
            response, framing: .length(bytes.count), closes: true, keepsAliveExplicitly: false,
            trailing: worker.headEnd,
            to: &out)
        out.append(contentsOf: bytes)
        try await flush()
        await closeGracefully()
    }

    // MARK: One request

    /// Serves one request; false when the connection must end.
    private func serve(_ parsed: ParsedRequestHead) async throws -> Bool {
        requestCount += 1
        let started = MonotonicTime.now
        let source: HTTP1Body? = parsed.framing == .none ? nil : HTTP1Body(parsed, connection: self)
        let body: RequestBody =
            switch parsed.framing {
            case .none: .empty
            case .length(let length): RequestBody(source: source, length: length)
            case .chunked: RequestBody(source: source, length: nil)
            }
        let request = Request(head: parsed.head, body: body, peer: stream.peer, isTLS: stream.isTLS)
        request.number = worker.nextRequestNumber()
        if !flushNow() { try await flush() }
        let response = try await worker.service.respond(to: request)
        let sender = HTTP1ResponseSender(connection: self, request: request, parsed: parsed, body: source)
        if !isDraining, sender.sendAtOnce(response) {
            source?.detach()
            worker.service.finished(
                request, status: response.status, bytes: sender.bodyBytesSent, started: started, log: worker.log)
            return true
        }
        do {
            let keepsAlive = try await sender.send(response, isDraining: isDraining)
            source?.detach()
            worker.service.finished(
                request, status: response.status, bytes: sender.bodyBytesSent, started: started, log: worker.log)
            return keepsAlive
        } catch {
            source?.detach()
            worker.service.abandoned()
            throw error
        }
    }

    /// Closes so that the last answer reaches a peer that is still sending.
    func closeGracefully() async {
        await stream.closeGracefully(lingerMilliseconds: limits.lingerMilliseconds)
    }

    // MARK: Writing

    /// Sends what was gathered if the socket takes it all; false when `flush` must wait for room. Hot paths call this
    /// first, since each `await`, even of a function that does not suspend, costs some 50 ns.
    func flushNow() -> Bool {
        guard !out.isEmpty else { return true }
        let count = stream.sendNow(out)
        if count < out.count {
            out.removeFirst(count)
            return false
        }
        recycleOut()
        return true
    }

    private func recycleOut() {
        if out.capacity > Self.outBytesMax * 4 { out = [] } else { out.removeAll(keepingCapacity: true) }
    }

    /// Gives everything gathered to the kernel; `more` tells it that further bytes follow at once.
    func flush(more: Bool = false) async throws(StreamError) {
        guard !out.isEmpty else { return }
        try await stream.write(out, more: more, timeoutMilliseconds: limits.bodyTimeoutMilliseconds)
        recycleOut()
    }
}

/// A fault that ends the connection after one answer.
struct ConnectionFault: Error {
    let fault: ServerFault
    init(_ fault: ServerFault) { self.fault = fault }
}
