import Clock
import Synchronization

/// How often something happened and how long it took in all.
package struct StatisticDuration: Sendable, Equatable {
    package var count: UInt64 = 0
    package var nanoseconds: UInt64 = 0

    package init() {}

    mutating func add(_ nanoseconds: UInt64, count: UInt64 = 1) {
        self.count += count
        self.nanoseconds &+= nanoseconds
    }
}

/// What one version of a model did since it was first loaded; a reload of the same version goes on counting.
package final class ModelStatistics: Sendable {
    package struct Batch: Sendable, Equatable {
        package var input = StatisticDuration()
        package var infer = StatisticDuration()
        package var output = StatisticDuration()
    }

    package struct Snapshot: Sendable, Equatable {
        /// Wall-clock milliseconds of the last inference; 0 before the first.
        package var lastInferenceMilliseconds: UInt64 = 0
        /// Inferences: a request with a batch of 8 is 8.
        package var inferenceCount: UInt64 = 0
        /// Runs of the model.
        package var executionCount: UInt64 = 0
        package var success = StatisticDuration()
        package var fail = StatisticDuration()
        package var queue = StatisticDuration()
        package var input = StatisticDuration()
        package var infer = StatisticDuration()
        package var output = StatisticDuration()
        /// By batch size of a run.
        package var batches: [Int: Batch] = [:]
        /// Requests refused because the queue was full or the wait too long; part of `fail`.
        package var rejected: UInt64 = 0
    }

    /// When the parts of one run began and ended, monotonic.
    struct Timing {
        var taken: MonotonicTime
        var started: MonotonicTime
        var computed: MonotonicTime
        var ended: MonotonicTime
    }

    private let state = Mutex(Snapshot())
    private let batchSizeMax: Int

    init(batchSizeMax: Int) { self.batchSizeMax = batchSizeMax }

    package var snapshot: Snapshot { state.withLock { $0 } }

    func failed(nanoseconds: UInt64, rejected: Bool) {
        state.withLock {
            $0.fail.add(nanoseconds)
            if rejected { $0.rejected += 1 }
        }
    }

    /// Counts a run that answered requests which arrived at `arrivals` and hold `rows` inferences together.
    func succeeded(arrivals: [MonotonicTime], rows: Int, timing: Timing) {
        let input = timing.started.nanoseconds &- timing.taken.nanoseconds
        let infer = timing.computed.nanoseconds &- timing.started.nanoseconds
        let output = timing.ended.nanoseconds &- timing.computed.nanoseconds
        let count = UInt64(arrivals.count)
        let now = UInt64(clamping: WallTime.now.milliseconds)
        state.withLock { state in
            state.lastInferenceMilliseconds = now
            state.inferenceCount += UInt64(rows)
            state.executionCount += 1
            for arrival in arrivals {
                state.success.add(timing.ended.nanoseconds &- arrival.nanoseconds)
                state.queue.add(timing.taken.nanoseconds &- arrival.nanoseconds)
            }
            state.input.add(input &* count, count: count)
            state.infer.add(infer &* count, count: count)
            state.output.add(output &* count, count: count)
            let size = min(rows, batchSizeMax)
            state.batches[size, default: Batch()].input.add(input)
            state.batches[size, default: Batch()].infer.add(infer)
            state.batches[size, default: Batch()].output.add(output)
        }
    }
}
