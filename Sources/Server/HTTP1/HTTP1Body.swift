import Bytes
import Clock
import EventLoop
import HTTP

/// The body of one HTTP/1 request, read from the connection as the handler asks. Confined to the connection's loop.
final class HTTP1Body: BodySource, @unchecked Sendable {
    private let connection: HTTP1Connection
    private var state: State
    private var expectsContinue: Bool
    /// Why the body can be read no further: one that broke its framing, or came too slowly, is never read again.
    private var failure: BodyError?
    private var decoder = ChunkedDecoder()
    private var receiveBytes = 64 * 1024
    private var pace: BodyPace
    /// Bytes received since the peer was last waited for.
    private var unwaitedCount = 0

    private enum State {
        case length(left: Int)
        case chunked
        case ended
        /// The response is complete: what is left belongs to the connection again.
        case detached
    }

    init(_ parsed: ParsedRequestHead, connection: HTTP1Connection) {
        self.connection = connection
        expectsContinue = parsed.expectsContinue
        pace = BodyPace(connection.limits)
        state = if case .length(let length) = parsed.framing { .length(left: length) } else { .chunked }
    }

    var trailers: HTTPFields { decoder.trailers }

    /// True when every byte of the body has been read.
    var isFinished: Bool { if case .ended = state { true } else { false } }

    /// True when what is left is known to be small enough to read and drop, and the peer is sending it. Of a chunked body
    /// that is known only when its end has been received already.
    func isWorthDraining() -> Bool {
        guard !expectsContinue, failure == nil else { return false }
        switch state {
        case .length(let left): return left <= HTTP1Connection.drainedBodyBytesMax
        case .chunked: return dropReceivedChunks()
        case .ended, .detached: return true
        }
    }

    private func dropReceivedChunks() -> Bool {
        var dropped: [UInt8] = []
        failure = .malformed
        guard let progress = try? decoder.decode(connection.received.bytes, into: &dropped) else { return false }
        failure = nil
        finish(progress)
        return isFinished
    }

    private func finish(_ progress: ChunkedDecoder.Progress) {
        switch progress {
        case .needsMore: connection.received.consume(connection.received.count)
        case .ended(let consumed):
            connection.received.consume(consumed)
            state = .ended
        }
    }

    func detach() { state = .detached }

    func next() async throws -> [UInt8]? {
        if let failure { throw failure }
        switch state {
        case .ended, .detached: return nil
        case .length, .chunked: break
        }
        if expectsContinue {
            expectsContinue = false
            connection.out.append("HTTP/1.1 100 Continue\r\n\r\n")
            try await flush()
        }
        if case .length(let left) = state { return try await nextOfLength(left) }
        return try await nextChunk()
    }

    private func nextOfLength(_ left: Int) async throws -> [UInt8]? {
        let received = connection.received
        let chunk: [UInt8]
        if received.isEmpty {
            received.releaseIfEmpty()
            chunk = try await receive(upTo: min(left, receiveBytes))
        } else {
            chunk = Array(received.bytes.prefix(left))
            received.consume(chunk.count)
        }
        state = chunk.count == left ? .ended : .length(left: left - chunk.count)
        return chunk
    }

    /// Receives straight into a new array, larger when the peer keeps it full.
    private func receive(upTo countMax: Int) async throws -> [UInt8] {
        while true {
            var result = IOResult.wouldBlock
            let chunk = [UInt8](unsafeUninitializedCapacity: countMax) { buffer, count in
                result = connection.stream.receiveNow(UnsafeMutableRawBufferPointer(buffer))
                if case .bytes(let received) = result { count = received }
            }
            switch result {
            case .bytes(let count):
                if count == receiveBytes { receiveBytes = 256 * 1024 }
                await took(count)
                return chunk
            case .closed: throw BodyError.truncated
            case .failed: throw BodyError.truncated
            case .wouldBlock: try await wait()
            }
        }
    }

    private func nextChunk() async throws -> [UInt8]? {
        let received = connection.received
        while true {
            if received.isEmpty {
                let room = received.room()
                let result = connection.stream.receiveNow(room)
                switch result {
                case .bytes(let count):
                    received.received(count)
                    await took(count)
                case .closed, .failed: throw BodyError.truncated
                case .wouldBlock:
                    try await wait()
                    continue
                }
            }
            var chunk: [UInt8] = []
            chunk.reserveCapacity(received.count)
            // Until the decoder says otherwise.
            failure = .malformed
            let progress = try decoder.decode(received.bytes, into: &chunk)
            failure = nil
            finish(progress)
            if !chunk.isEmpty { return chunk }
            if isFinished { return nil }
        }
    }

    /// A peer that sends without a pause must not keep the loop from its other connections.
    private func took(_ count: Int) async {
        pace.received(count)
        unwaitedCount += count
        guard unwaitedCount >= ByteStream.bytesPerTurnMax else { return }
        unwaitedCount = 0
        await connection.stream.loop.nextTurn()
    }

    private func wait() async throws {
        guard !pace.isTooSlow else { throw failed(.timeout) }
        unwaitedCount = 0
        let began = MonotonicTime.now
        defer { pace.waited(since: began) }
        do throws(StreamError) {
            try await connection.stream.waitReadable(timeoutMilliseconds: connection.limits.bodyTimeoutMilliseconds)
        } catch {
            switch error {
            case .timedOut: throw failed(.timeout)
            case .aborted: throw CancellationError()
            case .closed, .failed, .fileTooShort: throw BodyError.truncated
            }
        }
    }

    private func failed(_ error: BodyError) -> BodyError {
        failure = error
        return error
    }

    private func flush() async throws {
        do throws(StreamError) { try await connection.flush() } catch { throw CancellationError() }
    }
}
