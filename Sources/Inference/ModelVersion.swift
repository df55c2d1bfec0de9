// One loaded version of a model. Requests are checked on the caller's thread, wait in a bounded queue, and run on the
// shared compute threads: as many at once as the model has instances, joined into batches where it batches.

import Clock
import EventLoop
import Runtimes
import Synchronization

/// A loaded version. It lives as long as a request uses it, so that a reload never takes it away from one.
package final class ModelVersion: Sendable {
    package let number: Int
    package let configuration: ModelConfiguration
    package let statistics: ModelStatistics
    /// Class labels by output name, for the classification extension.
    package let labels: [String: [String]]
    let session: any ModelSession
    private let pool: BlockingPool
    private let queueCountMax: Int
    private let queue = Mutex(RequestQueue())
    private let filled = Signal()
    private let allOutputs: [String]

    /// Batches a thread runs before it lets other models have the thread.
    private static let roundsMax = 32

    init(
        number: Int, configuration: ModelConfiguration, session: any ModelSession, statistics: ModelStatistics,
        labels: [String: [String]], pool: BlockingPool, limits: InferenceLimits
    ) {
        self.number = number
        self.configuration = configuration
        self.session = session
        self.statistics = statistics
        self.labels = labels
        self.pool = pool
        queueCountMax = configuration.queueCountMax > 0 ? configuration.queueCountMax : limits.queueCountMax
        allOutputs = configuration.outputs.map(\.name)
    }

    /// Requests that wait now.
    package var pendingCount: Int { queue.withLock { $0.count } }

    /// Runs the model. Throws `invalid` for a request that does not fit, `overloaded` at once when the queue is full,
    /// `timedOut`, or `failed`.
    package func infer(_ request: InferenceRequest) async throws(InferenceError) -> InferenceResponse {
        let arrived = MonotonicTime.now
        let rows: Int
        var request = request
        do throws(InferenceError) {
            rows = try check(request)
        } catch {
            statistics.failed(nanoseconds: MonotonicTime.now.nanoseconds - arrived.nanoseconds, rejected: false)
            throw error
        }
        if request.outputNames.isEmpty { request.outputNames = allOutputs }
        let deadline = deadline(request, arrived)
        return try await withUnsafeContinuation { continuation in
            enqueue(
                PendingRequest(
                    request: request, rows: rows, arrived: arrived, deadline: deadline, continuation: continuation))
        }.get()
    }

    private func deadline(_ request: InferenceRequest, _ arrived: MonotonicTime) -> MonotonicTime? {
        let own = configuration.allowsTimeoutOverride ? request.timeoutMicroseconds : 0
        let microseconds = own > 0 ? own : configuration.queueTimeoutMicroseconds
        guard microseconds > 0 else { return nil }
        let (nanoseconds, overflow) = microseconds.multipliedReportingOverflow(by: 1000)
        return overflow ? nil : MonotonicTime(nanoseconds: arrived.nanoseconds &+ nanoseconds)
    }

    private func enqueue(_ item: PendingRequest) {
        enum Next { case full, start, wake, none }
        let next = queue.withLock { queue -> Next in
            guard queue.count - queue.starting < queueCountMax else { return .full }
            queue.append(item)
            if queue.isFilling { return .wake }
            guard queue.running < configuration.instanceCount else { return .none }
            queue.running += 1
            queue.starting += 1
            return .start
        }
        switch next {
        case .full:
            finish(
                item,
                .failure(
                    InferenceError(
                        .overloaded,
                        "model \"\(configuration.name)\": \(queueCountMax) requests wait already; try again later")))
        case .start: start()
        case .wake: filled.wake()
        case .none: break
        }
    }

    private func start() {
        if pool.submit({ self.work(isFirst: true) }) { return }
        // Every compute thread is far behind: nobody would come for these requests soon.
        let dropped = queue.withLock { queue -> [PendingRequest] in
            queue.running -= 1
            queue.starting -= 1
            return queue.running == 0 ? queue.takeAll() : []
        }
        for item in dropped {
            finish(
                item, .failure(InferenceError(.overloaded, "the server computes as much as it may; try again later")))
        }
    }

    /// Runs batches until none is left; on a compute thread.
    private func work(isFirst: Bool) {
        if isFirst { queue.withLock { $0.starting -= 1 } }
        while workRounds() {
            // Go on in this thread only when the pool has no room to queue for it.
            if pool.submit({ self.work(isFirst: false) }) { return }
        }
    }

    /// Runs up to `roundsMax` batches; false when there was nothing left to run.
    private func workRounds() -> Bool {
        for _ in 0..<Self.roundsMax {
            let now = MonotonicTime.now
            let (expired, decision, startsAnother) = queue.withLock { queue in
                queue.isFilling = false
                let expired = queue.takeExpired(now: now)
                let decision = queue.next(configuration, now: now)
                var startsAnother = false
                switch decision {
                case .run:
                    if queue.count > queue.starting, queue.running < configuration.instanceCount {
                        queue.running += 1
                        queue.starting += 1
                        startsAnother = true
                    }
                case .wait: queue.isFilling = true
                case .stop: queue.running -= 1
                }
                return (expired, decision, startsAnother)
            }
            for item in expired {
                finish(
                    item,
                    .failure(
                        InferenceError(
                            .timedOut, "model \"\(configuration.name)\": the request waited longer than its timeout")))
            }
            if startsAnother { start() }
            switch decision {
            case .run(let batch): run(batch)
            case .wait(let deadline): filled.wait(until: deadline)
            case .stop: return false
            }
        }
        return true
    }

    // MARK: One batch

    private func run(_ batch: [PendingRequest]) {
        let taken = MonotonicTime.now
        let rows = batch.reduce(0) { $0 + $1.rows }
        do throws(InferenceError) {
            let inputs = batch.count == 1 ? batch[0].request.inputs : Batch.joined(batch)
            let outputNames = batch[0].request.outputNames
            let started = MonotonicTime.now
            let outputs = try compute(inputs, outputNames)
            let computed = MonotonicTime.now
            let responses = try Batch.split(outputs, outputNames, batch, model: configuration.name)
            statistics.succeeded(
                arrivals: batch.map(\.arrived), rows: rows,
                timing: .init(taken: taken, started: started, computed: computed, ended: MonotonicTime.now))
            for (item, response) in zip(batch, responses) { item.continuation.resume(returning: .success(response)) }
        } catch {
            // One request's values must not fail its neighbours: each gets a run of its own.
            if batch.count > 1 {
                for item in batch { run([item]) }
            } else {
                finish(batch[0], .failure(error))
            }
        }
    }

    private func compute(
        _ inputs: [(name: String, tensor: Tensor)], _ outputNames: [String]
    ) throws(InferenceError) -> [Tensor] {
        do throws(RuntimeError) {
            return try session.run(inputs, outputNames: outputNames)
        } catch {
            throw InferenceError(
                error.code == .inputInvalid ? .invalid : .failed,
                "model \"\(configuration.name)\": \(RuntimeText.withoutPaths(error.message))")
        }
    }

    private func finish(_ item: PendingRequest, _ result: Result<InferenceResponse, InferenceError>) {
        if case .failure(let error) = result {
            statistics.failed(
                nanoseconds: MonotonicTime.now.nanoseconds - item.arrived.nanoseconds,
                rejected: error.code == .overloaded || error.code == .timedOut)
        }
        item.continuation.resume(returning: result)
    }
}
