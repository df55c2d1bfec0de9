// The queue of one model version: who waits, how many run, and which requests make up the next batch. Pure bookkeeping
// under the version's lock; time is passed in.

import Clock
import Runtimes

/// A request that waits, and whom to tell.
struct PendingRequest: Sendable {
    let request: InferenceRequest
    /// Size of the first dimension for a model that batches, else 1.
    let rows: Int
    let arrived: MonotonicTime
    /// When waiting becomes an error; nil is never.
    let deadline: MonotonicTime?
    let continuation: UnsafeContinuation<Result<InferenceResponse, InferenceError>, Never>
}

/// What a thread that asks for work shall do.
enum QueueDecision {
    case run([PendingRequest])
    /// More requests may join until then.
    case wait(until: MonotonicTime)
    case stop
}

struct RequestQueue: Sendable {
    private var items: [PendingRequest] = []
    private var head = 0
    /// Threads that run or are about to.
    var running = 0
    /// Threads that were started and have taken nothing yet.
    var starting = 0
    /// A thread that waits for a batch to fill; at most one.
    var isFilling = false

    var count: Int { items.count - head }

    mutating func append(_ item: PendingRequest) { items.append(item) }

    /// Takes out the requests that have waited too long.
    mutating func takeExpired(now: MonotonicTime) -> [PendingRequest] {
        guard items[head...].contains(where: { $0.deadline.map { $0 <= now } ?? false }) else { return [] }
        let expired = items[head...].filter { $0.deadline.map { $0 <= now } ?? false }
        items = items[head...].filter { $0.deadline.map { $0 > now } ?? true }
        head = 0
        return expired
    }

    mutating func takeAll() -> [PendingRequest] { take(count) }

    private mutating func take(_ number: Int) -> [PendingRequest] {
        let taken = Array(items[head..<head + number])
        head += number
        if head == items.count {
            items.removeAll(keepingCapacity: true)
            head = 0
        } else if head > 256 {
            items.removeFirst(head)
            head = 0
        }
        return taken
    }

    /// The next batch. Only requests with the same inputs, shapes and outputs share a run, and none is overtaken.
    mutating func next(_ configuration: ModelConfiguration, now: MonotonicTime) -> QueueDecision {
        guard count > 0 else { return .stop }
        guard let batching = configuration.dynamicBatching, configuration.batchSizeMax > 1 else { return .run(take(1)) }
        let first = items[head]
        var rows = 0
        var number = 0
        var preferred = 0
        var isComplete = false
        for item in items[head...] {
            guard rows + item.rows <= configuration.batchSizeMax, item.request.joins(first.request) else {
                isComplete = true
                break
            }
            rows += item.rows
            number += 1
            if batching.preferredBatchSizes.contains(rows) { preferred = number }
            if rows == configuration.batchSizeMax {
                isComplete = true
                break
            }
        }
        if preferred > 0 { return .run(take(preferred)) }
        let limit = MonotonicTime(nanoseconds: first.arrived.nanoseconds + batching.queueDelayMicrosecondsMax * 1000)
        if isComplete || now >= limit { return .run(take(number)) }
        return isFilling ? .stop : .wait(until: limit)
    }
}

extension InferenceRequest {
    /// True when both can be rows of one batch.
    func joins(_ other: InferenceRequest) -> Bool {
        inputs.count == other.inputs.count && outputNames == other.outputNames
            && zip(inputs, other.inputs).allSatisfy {
                $0.name == $1.name && $0.tensor.type == $1.tensor.type
                    && $0.tensor.shape.dropFirst() == $1.tensor.shape.dropFirst()
            }
    }
}
