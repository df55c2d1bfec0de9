import Synchronization

/// Lets one task sleep until others have something for it. A wake-up that comes while nobody sleeps is kept.
package final class Wakeup: Sendable {
    private struct State {
        var isSet = false
        var sleeper: UnsafeContinuation<Void, Never>?
    }

    private let state = Mutex(State())

    package init() {}

    package func set() {
        let sleeper = state.withLock { state in
            defer { state.sleeper = nil }
            if state.sleeper == nil { state.isSet = true }
            return state.sleeper
        }
        sleeper?.resume()
    }

    /// Sets after `milliseconds`.
    package func set(afterMilliseconds milliseconds: Int) {
        // Detached: a timer belongs to no caller; a wake-up that is no longer wanted does no harm.
        Task.detached { [weak self] in
            try? await Task.sleep(nanoseconds: UInt64(max(0, milliseconds)) * 1_000_000)
            self?.set()
        }
    }

    /// Returns once set, and clears. One task at a time.
    package func wait() async {
        await withUnsafeContinuation { (continuation: UnsafeContinuation<Void, Never>) in
            let isSet = state.withLock { state in
                if state.isSet {
                    state.isSet = false
                    return true
                }
                state.sleeper = continuation
                return false
            }
            if isSet { continuation.resume() }
        }
    }
}
