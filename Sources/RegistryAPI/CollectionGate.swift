import Synchronization

/// Keeps the collection of garbage and the requests that rely on what is stored from running at once: a push that finds a blob
/// there must still find it when it is answered.
final class CollectionGate: Sendable {
    private struct State {
        var pushCount = 0
        var isCollecting = false
        var waiters: [UnsafeContinuation<Void, Never>] = []
    }

    private let state = Mutex(State())

    /// Begins a push; waits while a collection removes things.
    func enter() async {
        while true {
            let isOpen = state.withLock { state in
                guard !state.isCollecting else { return false }
                state.pushCount += 1
                return true
            }
            if isOpen { return }
            await waitForCollection()
        }
    }

    private func waitForCollection() async {
        await withUnsafeContinuation { (continuation: UnsafeContinuation<Void, Never>) in
            let isOver = state.withLock { state in
                guard state.isCollecting else { return true }
                state.waiters.append(continuation)
                return false
            }
            if isOver { continuation.resume() }
        }
    }

    func leave() { state.withLock { $0.pushCount -= 1 } }

    /// False while a push is under way: the collection is for a quieter time.
    func beginCollecting() -> Bool {
        state.withLock { state in
            guard state.pushCount == 0, !state.isCollecting else { return false }
            state.isCollecting = true
            return true
        }
    }

    func endCollecting() {
        let waiters = state.withLock { state in
            state.isCollecting = false
            defer { state.waiters = [] }
            return state.waiters
        }
        for waiter in waiters { waiter.resume() }
    }
}
