import Bytes
import EventLoop
import HTTP

/// The body of one HTTP/1 request, read from the connection as the handler asks. Confined to the connection's loop.
final class HTTP1Body: BodySource, @unchecked Sendable {
    private let connection: HTTP1Connection
    private var state: State
    private var expectsContinue: Bool
    private var hasFailed = false
    private var decoder = ChunkedDecoder()
    private var receiveBytes = 64 * 1024

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
        state = if case .length(let length) = parsed.framing { .length(left: length) } else { .chunked }
    }

    var trailers: HTTPFields { decoder.trailers }

    /// True when every byte of the body has been read.
    var isFinished: Bool { if case .ended = state { true } else { false } }

    /// True when what is left is small enough to read and drop, and the peer is sending it.
    var isWorthDraining: Bool {
        guard !expectsContinue, !hasFailed else { return false }
        return switch state {
        case .length(let left): left <= HTTP1Connection.drainedBodyBytesMax
        case .chunked: true
        case .ended, .detached: true
        }
    }

    func detach() { state = .detached }

    func next() async throws -> [UInt8]? {
        if hasFailed { throw BodyError.malformed }
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
                case .bytes(let count): received.received(count)
                case .closed, .failed: throw BodyError.truncated
                case .wouldBlock:
                    try await wait()
                    continue
                }
            }
            var chunk: [UInt8] = []
            chunk.reserveCapacity(received.count)
            // Until the decoder says otherwise: a body that broke its framing is never read again.
            hasFailed = true
            let progress = try decoder.decode(received.bytes, into: &chunk)
            hasFailed = false
            switch progress {
            case .needsMore: received.consume(received.count)
            case .ended(let consumed):
                received.consume(consumed)
                state = .ended
            }
            if !chunk.isEmpty { return chunk }
            if isFinished { return nil }
        }
    }

    private func wait() async throws {
        do throws(StreamError) {
            try await connection.stream.waitReadable(timeoutMilliseconds: connection.limits.bodyTimeoutMilliseconds)
        } catch {
            switch error {
            case .timedOut: throw BodyError.timeout
            case .aborted: throw CancellationError()
            case .closed, .failed, .fileTooShort: throw BodyError.truncated
            }
        }
    }

    private func flush() async throws {
        do throws(StreamError) { try await connection.flush() } catch { throw CancellationError() }
    }
}
