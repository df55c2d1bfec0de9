import CStep
import Glibc
import Synchronization

/// A launcher that runs, started here or found again.
package final class StepProcess: Sendable {
    package let folder: String
    /// The launcher's process id, for people; it is signalled through its pidfd.
    package let processID: Int32
    let descriptor: Int32

    private struct State {
        var outcome: StepOutcome?
        var waiters: [UnsafeContinuation<StepOutcome, Never>] = []
    }

    private let state = Mutex(State())

    init(folder: String, processID: Int32, descriptor: Int32) {
        self.folder = folder
        self.processID = processID
        self.descriptor = descriptor
    }

    deinit { close(descriptor) }

    /// Waits for the step's end.
    package func outcome() async -> StepOutcome {
        await withUnsafeContinuation { continuation in
            let known = state.withLock { state in
                if state.outcome == nil { state.waiters.append(continuation) }
                return state.outcome
            }
            if let known { continuation.resume(returning: known) }
        }
    }

    /// Asks the step to end: SIGTERM, then SIGKILL after the grace period (nil: the specification's). May be repeated with
    /// a shorter one. Everything the step started ends with it.
    package func stop(gracePeriodMilliseconds: Int? = nil) {
        _ = slipway_pidfd_signal(descriptor, SIGTERM, Int32(clamping: gracePeriodMilliseconds ?? -1))
    }

    func finish(_ outcome: StepOutcome) {
        let waiters = state.withLock { state in
            state.outcome = outcome
            defer { state.waiters = [] }
            return state.waiters
        }
        for waiter in waiters { waiter.resume(returning: outcome) }
    }
}
