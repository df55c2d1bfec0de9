import Synchronization

/// Counts of one pack since the start, by what came of it.
package struct PackCounts: Sendable {
    package var results: [(outcome: String, count: UInt64)]
    package var loads: UInt64
    package var loadFailures: UInt64
    /// Processes that died and were replaced, of all pools.
    package var restarts: Int
    package var waiting: Int
    package var computeNanoseconds: UInt64
}

/// The counters behind `PackCounts`.
final class PackCounters: Sendable {
    let done = Atomic<UInt64>(0)
    let invalid = Atomic<UInt64>(0)
    let failed = Atomic<UInt64>(0)
    let rejected = Atomic<UInt64>(0)
    let loads = Atomic<UInt64>(0)
    let loadFailures = Atomic<UInt64>(0)
    /// Of pools that are gone.
    let restarts = Atomic<Int>(0)
    let computeNanoseconds = Atomic<UInt64>(0)

    func count(_ error: PackError) {
        switch error.code {
        case .invalid: invalid.wrappingAdd(1, ordering: .relaxed)
        case .overloaded, .timedOut, .notLoaded, .unavailable: rejected.wrappingAdd(1, ordering: .relaxed)
        default: failed.wrappingAdd(1, ordering: .relaxed)
        }
    }
}
