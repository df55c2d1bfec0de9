import Synchronization

/// One part of a large blob on its way to the disk: ends when its two halves, hashing and writing, have ended.
final class BlobWriteStep: Sendable {
    private struct State {
        var runningCount = 2
        var failure: BlobError?
        var waiter: UnsafeContinuation<Void, Never>?
    }

    private let state = Mutex(State())

    /// A half has ended, well or with `failure`. Called on its thread.
    func end(_ failure: BlobError?) {
        let waiter = state.withLock { state in
            state.runningCount -= 1
            if let failure { state.failure = failure }
            guard state.runningCount == 0 else { return nil as UnsafeContinuation<Void, Never>? }
            defer { state.waiter = nil }
            return state.waiter
        }
        waiter?.resume()
    }

    /// Waits for both halves and throws what the failed one met.
    func wait() async throws(BlobError) {
        await withUnsafeContinuation { (continuation: UnsafeContinuation<Void, Never>) in
            let isOver = state.withLock { state in
                guard state.runningCount > 0 else { return true }
                state.waiter = continuation
                return false
            }
            if isOver { continuation.resume() }
        }
        if let failure = state.withLock({ $0.failure }) { throw failure }
    }
}
