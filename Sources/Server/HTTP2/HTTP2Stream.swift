// One request and its answer on an HTTP/2 connection. The session fills `input` and drains `output`; the handler's task
// reads and writes through the same body types as HTTP/1. A handler that does not read keeps the stream's window shut,
// because only what it has taken is reported to nghttp2 as consumed.

import Bytes
import Clock
import EventLoop
import HTTP

/// A stream's state, confined to its connection's loop. One task may read while another writes.
final class HTTP2Stream: @unchecked Sendable {
    let id: Int32
    let session: HTTP2Session
    private let loop: EventLoop
    private let bodyTimeoutMilliseconds: UInt64

    // The request.
    var head = HTTP2HeadCollector()
    /// Set when the head is complete; until then `headDeadline` says by when it must be.
    var request: Request?
    var headDeadline: MonotonicTime?
    private var input: [UInt8] = []
    var trailers = HTTPFields()
    private(set) var isInputEnded = false

    // The answer.
    private var output: [UInt8] = []
    private var outputOffset = 0
    private(set) var isOutputEnded = false
    /// True when the session has taken the last byte.
    private(set) var isOutputTaken = false
    var outputTrailers = HTTPFields()
    /// Body bytes the session has taken.
    private(set) var sentCount = 0

    private(set) var isClosed = false
    var task: Task<Void, Never>?
    private var reader = Waiter()
    private var writer = Waiter()
    private var pace: BodyPace

    /// Output bytes above which a writer waits.
    static let outputHighWater = 64 * 1024

    /// A task that waits for the other side, and until when.
    private struct Waiter {
        var continuation: UnsafeContinuation<Void, Never>?
        var deadline: MonotonicTime?
        var hasTimedOut = false

        mutating func wake() {
            guard let waiting = continuation else { return }
            continuation = nil
            waiting.resume()
        }

        mutating func tick(_ now: MonotonicTime) {
            guard let deadline, now >= deadline, continuation != nil else { return }
            hasTimedOut = true
            wake()
        }
    }

    init(id: Int32, session: HTTP2Session, loop: EventLoop) {
        self.id = id
        self.session = session
        self.loop = loop
        bodyTimeoutMilliseconds = session.limits.bodyTimeoutMilliseconds
        pace = BodyPace(session.limits)
    }

    // MARK: The session's side

    func receive(_ bytes: UnsafeBufferPointer<UInt8>) {
        input.append(contentsOf: bytes)
        reader.wake()
    }

    func endInput() {
        isInputEnded = true
        reader.wake()
    }

    /// Forgets received bytes that nobody will read; returns their count, to be given back to the connection's window.
    func takeUnreadCount() -> Int {
        defer { input = [] }
        return input.count
    }

    /// How many output bytes stand ready.
    var outputCount: Int { output.count - outputOffset }

    /// Moves output into `space`; returns the count.
    func takeOutput(_ space: UnsafeMutableRawBufferPointer) -> Int {
        let count = min(space.count, outputCount)
        output.withUnsafeBytes { bytes in
            space.copyMemory(from: UnsafeRawBufferPointer(rebasing: bytes[outputOffset..<outputOffset + count]))
        }
        outputOffset += count
        sentCount += count
        if outputOffset == output.count {
            output = []
            outputOffset = 0
            if isOutputEnded { isOutputTaken = true }
        }
        if outputCount < Self.outputHighWater { writer.wake() }
        return count
    }

    /// The stream is over: the handler, if still at work, is cancelled.
    func close() {
        guard !isClosed else { return }
        isClosed = true
        output = []
        outputOffset = 0
        if !isOutputTaken { task?.cancel() }
        // Both lead back to the stream: the request through its body, the task through what it runs.
        task = nil
        request = nil
        reader.wake()
        writer.wake()
    }

    /// Ends waits and handlers that are past their deadline; true when the head came too slowly.
    func tick(_ now: MonotonicTime) -> Bool {
        reader.tick(now)
        writer.tick(now)
        if let deadline = request?.deadline, now >= deadline { task?.cancel() }
        guard let headDeadline else { return false }
        return now >= headDeadline
    }

    // MARK: The handler's side

    /// Waits until the session's side, a deadline or the task's cancellation wakes `waiter`.
    private func wait(_ waiter: ReferenceWritableKeyPath<HTTP2Stream, Waiter>, bounded: Bool) async {
        precondition(self[keyPath: waiter].continuation == nil, "one reader and one writer at a time")
        if bounded {
            self[keyPath: waiter].deadline = MonotonicTime.now.advanced(milliseconds: bodyTimeoutMilliseconds)
        }
        await withTaskCancellationHandler {
            await withUnsafeContinuation { continuation in
                if Task.isCancelled { continuation.resume() } else { self[keyPath: waiter].continuation = continuation }
            }
        } onCancel: {
            // Also a child task that its parent gives up: it must not wait for the peer.
            loop.execute {
                self.reader.wake()
                self.writer.wake()
            }
        }
        self[keyPath: waiter].deadline = nil
    }

    /// Appends to the output and waits until it is below the high-water mark.
    private func send(_ bytes: [UInt8]) async throws {
        try await waitForRoom()
        append(bytes)
        session.resumeOutput(of: self)
        try await waitForRoom()
    }

    private func waitForRoom() async throws {
        while true {
            if isClosed || Task.isCancelled || writer.hasTimedOut { throw CancellationError() }
            guard outputCount >= Self.outputHighWater else { return }
            await wait(\.writer, bounded: true)
        }
    }

    private func append(_ bytes: [UInt8]) {
        if output.isEmpty { output = bytes } else { output.append(contentsOf: bytes) }
    }

    /// Gives the last bytes without waiting.
    func finish(_ bytes: [UInt8], trailers: HTTPFields) {
        append(bytes)
        if !trailers.isEmpty { outputTrailers = trailers }
        isOutputEnded = true
    }

    /// Waits until a finished output is nearly sent; false when the stream ended before, or its peer takes nothing.
    func drain() async -> Bool {
        while !isClosed, outputCount >= Self.outputHighWater {
            if writer.hasTimedOut || Task.isCancelled { return false }
            await wait(\.writer, bounded: true)
        }
        return isOutputTaken || !isClosed
    }
}

extension HTTP2Stream: BodySource {
    func next() async throws -> [UInt8]? {
        while true {
            if isClosed || Task.isCancelled { throw CancellationError() }
            if !input.isEmpty {
                let chunk = input
                input = []
                session.consume(chunk.count, of: self)
                pace.received(chunk.count)
                return chunk
            }
            if isInputEnded { return nil }
            if reader.hasTimedOut { throw BodyError.timeout }
            guard request?.mayIdle != true else {
                await wait(\.reader, bounded: false)
                continue
            }
            guard !pace.isTooSlow else { throw BodyError.timeout }
            let began = MonotonicTime.now
            await wait(\.reader, bounded: true)
            pace.waited(since: began)
        }
    }
}

extension HTTP2Stream: BodyWriter {
    func write(_ bytes: [UInt8]) async throws {
        guard !bytes.isEmpty else { return }
        try await send(bytes)
    }

    func write(_ file: FileRegion) async throws {
        var offset = file.range.lowerBound
        while offset < file.range.upperBound {
            let wanted = Int(min(file.range.upperBound - offset, 64 * 1024))
            let block = await FileReads.read(file.descriptor, offset: offset, count: wanted)
            guard !block.isEmpty else { throw StreamError.fileTooShort }
            try await send(block)
            offset += Int64(block.count)
        }
    }

    func flush() async throws {
        if isClosed || Task.isCancelled { throw CancellationError() }
        session.outputIsReady()
    }

    func setTrailers(_ fields: HTTPFields) { outputTrailers = fields }
}
