import Synchronization

/// Lets one download or load in at a time, in the order they came.
final class ControlTurn: Sendable {
    private struct State {
        var isTaken = false
        var waiters: [UnsafeContinuation<Bool, Never>] = []
    }

    private let state = Mutex(State())
    private let countMax: Int

    init(countMax: Int) { self.countMax = countMax }

    /// Waits for the turn. Throws `overloaded` when too many wait; each entry is followed by `leave`.
    func enter() async throws(PackError) {
        let isIn = await withUnsafeContinuation { continuation in
            let answer = state.withLock { state -> Bool? in
                if !state.isTaken {
                    state.isTaken = true
                    return true
                }
                if state.waiters.count >= countMax { return false }
                state.waiters.append(continuation)
                return nil
            }
            if let answer { continuation.resume(returning: answer) }
        }
        guard isIn else {
            throw PackError(.overloaded, "\(countMax) downloads and loads wait already; try again later")
        }
    }

    func leave() {
        let next = state.withLock { state -> UnsafeContinuation<Bool, Never>? in
            state.isTaken = !state.waiters.isEmpty
            return state.waiters.isEmpty ? nil : state.waiters.removeFirst()
        }
        next?.resume(returning: true)
    }
}
