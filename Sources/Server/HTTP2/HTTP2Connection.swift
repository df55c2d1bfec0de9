// The HTTP/2 connection: one task reads the socket into the session; each request is a task of its own on the same
// loop. What streams want to send is gathered and written once at the end of the loop's turn, in one send for all of them.

import Bytes
import CNghttp2
import Clock
import EventLoop
import HTTP

/// Serves HTTP/2 on one stream of bytes. Confined to its loop.
final class HTTP2Connection: ProtocolConnection, HTTP2SessionDelegate, @unchecked Sendable {
    private let stream: ByteStream
    private let worker: Worker
    private let session: HTTP2Session
    private var out: [UInt8] = []
    private var outOffset = 0
    private var isFlushScheduled = false
    private var isWriterWaiting = false
    private var isOver = false
    private var runningCount = 0
    private var idleWaiter: UnsafeContinuation<Void, Never>?
    private var idleSince: MonotonicTime
    private var goAwayAt: MonotonicTime?

    private static let outBytesMax = 64 * 1024
    /// Nothing waits this long: idle connections are found by `tick`.
    private static let unboundedMilliseconds: UInt64 = 24 * 3600 * 1000

    init(stream: ByteStream, worker: Worker) throws(HTTP2SessionError) {
        self.stream = stream
        self.worker = worker
        session = try HTTP2Session(limits: worker.service.limits, loop: worker.loop)
        idleSince = worker.loop.turnTime
        session.delegate = self
    }

    private var service: Service { worker.service }

    // MARK: The connection's task

    /// Serves until the peer closes, breaks the protocol, or the server drains. `received` are bytes read before.
    func run(received: [UInt8]) async {
        stream.channel.onTick = { [unowned self] in self.tick($0) }
        do {
            try session.receive(received)
            scheduleFlush()
            try await readUntilEnd()
        } catch {
            // The peer broke the protocol, has gone or was too slow; a GOAWAY, if one stands ready, goes out below.
        }
        flush()
        isOver = true
        stream.channel.onTick = nil
        session.closeAll()
        await stream.closeGracefully(lingerMilliseconds: service.limits.lingerMilliseconds)
        // Handlers see their cancellation at their next wait on the stream; the session lives until they have ended.
        while runningCount > 0 {
            await withUnsafeContinuation { idleWaiter = $0 }
        }
    }

    private func readUntilEnd() async throws {
        while !session.isFinished {
            let slab = worker.loop.buffers.take()
            var result = IOResult.wouldBlock
            var turns = 0
            // A peer that never stops sending must not keep the loop from its other connections.
            repeat {
                result = stream.receiveNow(slab)
                turns += 1
                guard case .bytes(let count) = result else { break }
                do throws(HTTP2SessionError) {
                    try session.receive(UnsafeRawBufferPointer(rebasing: UnsafeRawBufferPointer(slab)[..<count]))
                } catch {
                    worker.loop.buffers.giveBack(slab)
                    throw error
                }
            } while turns < 16 && stream.channel.mayBeReadable
            worker.loop.buffers.giveBack(slab)
            scheduleFlush()
            switch result {
            case .closed: return
            case .failed(let code): throw StreamError.failed(code)
            case .bytes where stream.channel.mayBeReadable: await stream.loop.nextTurn()
            case .bytes, .wouldBlock:
                if session.isFinished { return }
                try await stream.waitReadable(timeoutMilliseconds: Self.unboundedMilliseconds)
            }
        }
    }

    // MARK: Requests

    func streamOpened(_ opened: HTTP2Stream, head: RequestHead?) {
        guard let head else {
            answer(opened, service.faultResponse(.headTooLarge(bytesMax: service.limits.headBytesMax)), to: .get)
            return
        }
        let length = head.fields["content-length"].flatMap { ASCII.decimal($0.utf8) }
        let body = opened.isInputEnded ? .empty : RequestBody(source: opened, length: length)
        let request = Request(head: head, body: body, peer: stream.peer, isTLS: stream.isTLS)
        request.number = worker.nextRequestNumber()
        opened.request = request
        runningCount += 1
        opened.task = worker.loop.spawn {
            await self.serve(opened, request)
            self.taskEnded()
        }
    }

    private func taskEnded() {
        runningCount -= 1
        guard runningCount == 0, let waiter = idleWaiter else { return }
        idleWaiter = nil
        waiter.resume()
    }

    private func serve(_ stream: HTTP2Stream, _ request: Request) async {
        let started = MonotonicTime.now
        let response: Response
        do {
            response = try await service.respond(to: request)
        } catch {
            // The handler gave up because the stream is over, or was cancelled by its deadline.
            session.resetInternalError(stream)
            return
        }
        do {
            try await send(response, on: stream, request)
            service.finished(
                request, status: response.status, bytes: stream.sentCount + stream.outputCount, started: started,
                log: worker.log)
        } catch {
            session.resetInternalError(stream)
            service.abandoned()
        }
    }

    private func send(_ response: Response, on stream: HTTP2Stream, _ request: Request) async throws {
        guard !stream.isClosed else { throw CancellationError() }
        let sendsBody = request.method != .head && !response.status.forbidsBody
        switch response.body {
        case .empty, .bytes:
            answer(stream, response, to: request.method)
            guard await stream.drain() else { throw CancellationError() }
        case .file(let region):
            let count = Int(region.range.upperBound - region.range.lowerBound)
            session.respond(stream, response, date: worker.httpDate, contentLength: count, hasBody: sendsBody)
            guard sendsBody else { return }
            try await stream.write(region)
            end(stream, response.trailers)
        case .stream(let length, let produce):
            session.respond(stream, response, date: worker.httpDate, contentLength: length, hasBody: sendsBody)
            guard sendsBody else { return }
            try await produce(stream)
            if let length, stream.sentCount + stream.outputCount != length { throw BodyError.truncated }
            end(stream, response.trailers)
        case .upgrade: session.resetWantsHTTP1(stream)
        }
    }

    /// Sends an answer that is held whole.
    private func answer(_ stream: HTTP2Stream, _ response: Response, to method: HTTPMethod) {
        var bytes: [UInt8] = []
        if case .bytes(let held) = response.body { bytes = held }
        var length: Int? = response.status.forbidsBody ? nil : bytes.count
        if method == .head, bytes.isEmpty {
            length = response.fields["Content-Length"].flatMap { ASCII.decimal($0.utf8) }
        }
        let hasBody = method != .head && !response.status.forbidsBody && !(bytes.isEmpty && response.trailers.isEmpty)
        // gRPC peers know the length from the message; a content length with trailers would only be more to check.
        if !response.trailers.isEmpty || response.fields.contains("grpc-status") { length = nil }
        if hasBody { stream.finish(bytes, trailers: response.trailers) }
        session.respond(stream, response, date: worker.httpDate, contentLength: length, hasBody: hasBody)
    }

    private func end(_ stream: HTTP2Stream, _ trailers: HTTPFields) {
        stream.finish([], trailers: trailers)
        session.resumeOutput(of: stream)
    }

    func streamClosed(_ stream: HTTP2Stream) { idleSince = worker.loop.turnTime }

    // MARK: Writing

    func sessionHasOutput() { scheduleFlush() }

    private func scheduleFlush() {
        guard !isFlushScheduled, !isOver else { return }
        isFlushScheduled = true
        worker.loop.beforeNextWait {
            // What the flush itself brings up, it sends; the mark stays until then.
            self.flush()
            self.isFlushScheduled = false
        }
    }

    /// Sends frames until there are none or the socket is full; in that case a task waits for room and goes on.
    private func flush() {
        guard !isWriterWaiting, !isOver else { return }
        while true {
            if outOffset == out.count {
                out.removeAll(keepingCapacity: true)
                outOffset = 0
                session.fill(&out, countMax: Self.outBytesMax)
                guard !out.isEmpty else { break }
            }
            switch stream.trySend(out, from: outOffset) {
            case .bytes(let count): outOffset += count
            case .wouldBlock: return waitForRoom()
            case .closed, .failed: return stream.channel.abort()
            }
        }
        // The reader waits for a peer that has nothing more to say.
        if session.isFinished { stream.channel.abort() }
    }

    private func waitForRoom() {
        isWriterWaiting = true
        runningCount += 1
        worker.loop.spawn {
            do throws(StreamError) {
                try await self.stream.waitWritable(timeoutMilliseconds: self.service.limits.bodyTimeoutMilliseconds)
                self.isWriterWaiting = false
                self.flush()
            } catch {
                self.stream.channel.abort()
            }
            self.taskEnded()
        }
    }

    // MARK: The end

    private func tick(_ now: MonotonicTime) {
        var isTooSlow = false
        for stream in session.streams.values where stream.tick(now) { isTooSlow = true }
        if isTooSlow { session.terminateTooSlow() }
        if let due = goAwayAt, now >= due {
            goAwayAt = nil
            session.goAway()
        }
        let idleNanoseconds = service.limits.idleTimeoutMilliseconds * 1_000_000
        if session.streams.isEmpty, now.nanoseconds > idleSince.nanoseconds + idleNanoseconds { session.goAway() }
    }

    func drain() {
        if session.streams.isEmpty {
            session.goAway()
        } else {
            session.announceShutdown()
            goAwayAt = MonotonicTime.now.advanced(milliseconds: 100)
        }
    }

    // The connection's task always waits to read, so the end of input reaches it there.
    func peerClosed() {}
}
