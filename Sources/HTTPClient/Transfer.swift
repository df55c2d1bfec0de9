// One exchange, seen from its two sides. The engine's thread runs libcurl's callbacks, which fill and drain the shared
// state and pause the transfer when a buffer is full or empty; the calling task waits until the state has what it
// needs. Exactly one task waits at a time, so one continuation is enough.

import Bytes
import CCurl
import HTTP
import Synchronization

/// A request on its way and the response that comes back.
///
/// `@unchecked Sendable`: `received` and the properties in `Transfer+Options.swift`'s charge belong to the engine's
/// thread; everything the calling task touches is behind `shared`.
final class Transfer: @unchecked Sendable {
    struct Head: Sendable {
        var status: HTTPStatus
        var fields: HTTPFields
    }

    /// What both sides see.
    struct Shared {
        var head: Head?
        var body: [UInt8] = []
        var trailers = HTTPFields()
        var isReceivePaused = false
        var upload: [UInt8] = []
        var uploadOffset = 0
        var isUploadEnded = false
        var isSendPaused = false
        /// Set once, by the engine at the end or by the calling task that gives up.
        var result: Result<Void, any Error>?
        var waiter: UnsafeContinuation<Void, Never>?
        /// True when something changed since the waiting side last looked.
        var hasNews = false

        /// Notes a change; the caller resumes what this returns after it has left the lock.
        mutating func wake() -> UnsafeContinuation<Void, Never>? {
            hasNews = true
            defer { waiter = nil }
            return waiter
        }
    }

    /// Buffered response bytes above which the transfer pauses; libcurl adds at most one block of 64 KiB.
    static let receiveHighWater = 128 * 1024
    /// Buffered upload bytes above which the uploading task waits.
    static let uploadHighWater = 256 * 1024

    let request: ClientRequest
    let engine: TransferEngine
    let shared = Mutex(Shared())

    // The engine's thread only.
    var handle: EasyHandle?
    var received = ResponseHeadCollector()
    /// Bytes of the request body handed to libcurl so far.
    var sentCount: Int64 = 0

    /// Throws `invalidRequest` for a method that is not a token.
    init(_ request: ClientRequest, engine: TransferEngine) throws(HTTPClientError) {
        guard HTTPFields.isToken(request.method.name.utf8) else {
            throw HTTPClientError(.invalidRequest, "the request method is not a token")
        }
        guard !request.url.utf8.contains(0) else { throw HTTPClientError(.invalidRequest, "the URL holds a NUL") }
        self.request = request
        self.engine = engine
    }

    // MARK: The calling task's side

    /// Waits for the response head.
    func head() async throws -> Head {
        let outcome: Result<Head, any Error> = await wait { shared in
            if let head = shared.head { return .success(head) }
            switch shared.result {
            case nil: return nil
            case .failure(let error): return .failure(error)
            case .success: return .failure(HTTPClientError(.malformedResponse, "the answer has no head"))
            }
        }
        return try outcome.get()
    }

    /// The next buffered response bytes, waiting for some; nil at the end.
    func nextChunk() async throws -> [UInt8]? {
        var mustResume = false
        let outcome: Result<[UInt8]?, any Error> = await wait { shared in
            guard shared.body.isEmpty else {
                defer { shared.body = [] }
                mustResume = shared.isReceivePaused
                shared.isReceivePaused = false
                return .success(shared.body)
            }
            switch shared.result {
            case nil: return nil
            case .failure(let error): return .failure(error)
            case .success: return .success(nil)
            }
        }
        if mustResume { engine.resume(self) }
        return try outcome.get()
    }

    /// Feeds `body` to the transfer until its end, or until the response has begun or the transfer is over.
    func upload(_ body: RequestBody) async throws {
        while let chunk = try await body.next() {
            var mustResume = false
            let goesOn = await wait { shared -> Bool? in
                guard shared.result == nil, shared.head == nil else { return false }
                guard shared.upload.count - shared.uploadOffset < Self.uploadHighWater else { return nil }
                if shared.uploadOffset == shared.upload.count {
                    shared.upload = chunk
                    shared.uploadOffset = 0
                } else {
                    shared.upload.append(contentsOf: chunk)
                }
                mustResume = shared.isSendPaused
                shared.isSendPaused = false
                return true
            }
            guard goesOn else { return }
            if mustResume { engine.resume(self) }
        }
        shared.withLock { $0.isUploadEnded = true }
        engine.resume(self)
    }

    /// Ends the transfer with `CancellationError` unless it is over.
    func cancel() {
        let (isNew, waiter) = shared.withLock { shared -> (Bool, UnsafeContinuation<Void, Never>?) in
            guard shared.result == nil else { return (false, nil) }
            shared.result = .failure(CancellationError())
            return (true, shared.wake())
        }
        waiter?.resume()
        if isNew { engine.cancel(self) }
    }

    var trailers: HTTPFields { shared.withLock { $0.trailers } }

    /// Calls `attempt` under the lock now and after every change until it gives a value.
    private func wait<Value>(_ attempt: (inout Shared) -> Value?) async -> Value {
        while true {
            let value: Value? = shared.withLock { shared in
                shared.hasNews = false
                return attempt(&shared)
            }
            if let value { return value }
            await withUnsafeContinuation { continuation in
                let isReady = shared.withLock { shared in
                    if shared.hasNews { return true }
                    shared.waiter = continuation
                    return false
                }
                if isReady { continuation.resume() }
            }
        }
    }

    // MARK: The engine's side

    /// Changes the shared state on the engine's thread and wakes the calling task.
    func update(_ change: (inout Shared) -> Void) {
        let waiter = shared.withLock { shared in
            change(&shared)
            return shared.wake()
        }
        waiter?.resume()
    }

    /// Ends the transfer with libcurl's verdict.
    func finish(_ result: Result<Void, any Error>) {
        update { shared in
            if shared.result == nil { shared.result = result }
        }
    }
}
