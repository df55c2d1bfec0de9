// The worker processes of one loaded model and the requests that wait for them. Each process has a thread here that starts
// it, hands it one request after another, and replaces it when it dies. A pool is loaded once, serves, and is retired
// when its successor serves: what it took before is still answered.

import CLinux
import Clock
import EventLoop
import Glibc
import Log
import Synchronization

package final class WorkerPool: Sendable {
    private struct Item {
        let payload: [UInt8]
        let deadline: MonotonicTime
        let continuation: UnsafeContinuation<Result<[UInt8], WorkerError>, Never>
    }

    private typealias Starter = UnsafeContinuation<Result<[UInt8], WorkerError>, Never>

    private struct State {
        var items: [Item] = []
        var isRetired = false
        /// Processes that have the model loaded.
        var servingCount = 0
        var threadCount = 0
        /// Why there is none, when there is none.
        var failure = "it is being loaded"
        var loadedCount = 0
        var starter: Starter?
        var restartCount = 0
        var computeNanoseconds: UInt64 = 0
        /// Bytes of the payloads that wait.
        var itemBytes = 0

        mutating func take() -> Item? {
            guard !items.isEmpty else { return nil }
            itemBytes -= items[0].payload.count
            return items.removeFirst()
        }
    }

    /// What a pool has done and is doing.
    package struct Statistics: Sendable {
        package var waitingCount: Int
        package var servingCount: Int
        package var restartCount: Int
        /// Time that workers spent on requests.
        package var computeNanoseconds: UInt64
    }

    private let order: WorkerOrder
    private let limits: WorkerLimits
    private let name: String
    private let state = Mutex(State())
    /// Counts requests that wait, and wakes one thread for each.
    private let wakeUp: Int32
    private let onEnd: @Sendable () -> Void

    /// - Parameters:
    ///   - name: the model's, for messages.
    ///   - onEnd: called on a pool thread when the last process has ended.
    package init(
        name: String, order: WorkerOrder, limits: WorkerLimits, onEnd: @escaping @Sendable () -> Void = {}
    ) throws(WorkerError) {
        self.name = name
        self.order = order
        self.limits = limits
        self.onEnd = onEnd
        wakeUp = eventfd(0, Int32(EFD_CLOEXEC | EFD_NONBLOCK | EFD_SEMAPHORE))
        guard wakeUp >= 0 else { throw WorkerError(.loadFailed, "too many open files") }
    }

    deinit { close(wakeUp) }

    package var statistics: Statistics {
        state.withLock {
            Statistics(
                waitingCount: $0.items.count, servingCount: $0.servingCount, restartCount: $0.restartCount,
                computeNanoseconds: $0.computeNanoseconds)
        }
    }

    /// True when a process has the model loaded.
    package var isServing: Bool { state.withLock { $0.servingCount > 0 && !$0.isRetired } }

    // MARK: Start and end

    /// Starts the processes and returns what the first answered to its load request, when all have loaded the model.
    ///
    /// Throws `loadFailed`, `died` or `timedOut`; the pool is then over. Call once.
    package func start() async throws(WorkerError) -> [UInt8] {
        let result = await withUnsafeContinuation { continuation in
            state.withLock {
                $0.starter = continuation
                $0.threadCount = order.instanceCount
            }
            for index in 0..<order.instanceCount {
                Thread.start(name: "worker-\(index)") { self.work() }
            }
        }
        return try result.get()
    }

    /// Takes no more requests; the processes end when those that wait are answered. Idempotent.
    package func retire() {
        let isNew = state.withLock { state in
            defer { state.isRetired = true }
            return !state.isRetired
        }
        if isNew { signal(UInt64(order.instanceCount)) }
    }

    /// Waits until the processes of a retired pool have ended, at most `milliseconds`.
    package func ended(withinMilliseconds milliseconds: UInt64) async {
        let deadline = MonotonicTime.now.advanced(milliseconds: milliseconds)
        while MonotonicTime.now < deadline, state.withLock({ $0.threadCount > 0 }) {
            try? await Task.sleep(nanoseconds: 5_000_000)
        }
    }

    private func signal(_ count: UInt64) {
        var count = count
        _ = write(wakeUp, &count, 8)
    }

    // MARK: Requests

    /// Has a worker answer `payload`. Throws `WorkerError`; `retired` means that nothing was done.
    package func run(_ payload: [UInt8]) async throws(WorkerError) -> [UInt8] {
        let deadline = MonotonicTime.now.advanced(milliseconds: limits.requestMilliseconds)
        let result = await withUnsafeContinuation { continuation in
            let refusal = state.withLock { state -> WorkerError? in
                if state.isRetired { return WorkerError(.retired, "it was replaced") }
                if state.servingCount == 0 { return WorkerError(.unavailable, state.failure) }
                let bytes = state.itemBytes + payload.count
                if state.items.count >= limits.queueCountMax || !state.items.isEmpty && bytes > limits.queueBytesMax {
                    return WorkerError(.overloaded, "\(state.items.count) requests wait for it already; try again")
                }
                state.itemBytes = bytes
                state.items.append(Item(payload: payload, deadline: deadline, continuation: continuation))
                return nil
            }
            if let refusal { continuation.resume(returning: .failure(refusal)) } else { signal(1) }
        }
        return try result.get()
    }

    /// Answers the requests that have waited too long.
    private func expire() {
        let now = MonotonicTime.now
        let expired = state.withLock { state -> [Item] in
            let late = state.items.filter { $0.deadline <= now }
            if !late.isEmpty {
                state.items.removeAll { $0.deadline <= now }
                state.itemBytes = state.items.reduce(0) { $0 + $1.payload.count }
            }
            return late
        }
        for item in expired {
            item.continuation.resume(
                returning: .failure(WorkerError(.timedOut, "the request waited too long for a worker")))
        }
    }

    // MARK: A worker's thread

    private func work() {
        var backOff = limits.backOffMilliseconds
        var hasLoaded = false
        while true {
            let started = MonotonicTime.now
            let failure: WorkerError
            do throws(WorkerError) {
                let process = try WorkerProcess(order)
                let answer = try load(process)
                guard loaded(answer, isFirst: !hasLoaded) else {
                    process.end(afterMilliseconds: limits.stopMilliseconds)
                    break
                }
                hasLoaded = true
                guard let death = serve(process) else {
                    process.end(afterMilliseconds: limits.stopMilliseconds)
                    break
                }
                failure = death
            } catch {
                guard hasLoaded else {
                    failedToLoad(error)
                    break
                }
                failure = error
            }
            if started.elapsedSeconds * 1000 > Double(limits.healthyMilliseconds) {
                backOff = limits.backOffMilliseconds
            }
            guard pause(backOff, because: failure) else { break }
            backOff = min(backOff * 2, limits.backOffMillisecondsMax)
        }
        ended()
    }

    private func load(_ process: WorkerProcess) throws(WorkerError) -> [UInt8] {
        let deadline = MonotonicTime.now.advanced(milliseconds: limits.loadMilliseconds)
        do throws(WorkerError) {
            return try process.ask(.load, order.load, deadline: deadline, replyBytesMax: 1 << 20) { self.expire() }
        } catch {
            process.end()
            guard error.code == .died || error.code == .timedOut else { throw error }
            throw WorkerError(.loadFailed, "loading it failed: \(error.message)")
        }
    }

    /// Notes that a process has the model; false when the pool is over already. It serves from here on: whoever waits for
    /// the start may send a request at once.
    private func loaded(_ answer: [UInt8], isFirst: Bool) -> Bool {
        let (starter, goesOn) = state.withLock { state -> (Starter?, Bool) in
            let goesOn = !isFirst || !state.isRetired
            if goesOn { state.servingCount += 1 }
            if isFirst { state.loadedCount += 1 }
            guard isFirst, state.loadedCount == order.instanceCount else { return (nil, goesOn) }
            defer { state.starter = nil }
            return (state.starter, goesOn)
        }
        starter?.resume(returning: .success(answer))
        return goesOn
    }

    private func failedToLoad(_ error: WorkerError) {
        let starter = state.withLock { state in
            defer { state.starter = nil }
            return state.starter
        }
        retire()
        starter?.resume(returning: .failure(error))
    }

    /// Hands requests to `process` until the pool is retired (nil) or the process is gone (why).
    private func serve(_ process: WorkerProcess) -> WorkerError? {
        var wasWoken = false
        while true {
            expire()
            let (item, isOver) = state.withLock { state in (state.take(), state.isRetired && state.items.isEmpty) }
            guard let item else {
                if isOver { return nil }
                if wasWoken {
                    // Another thread was faster. The queue is looked at once more after its count was taken, because
                    // that count may have been for a request that came in between.
                    consumeWakeUp()
                    wasWoken = false
                    continue
                }
                wasWoken = true
                if waitForWork(process) { continue }
                process.end()
                return WorkerError(.died, "its worker process died while it was idle")
            }
            wasWoken = false
            consumeWakeUp()
            let started = MonotonicTime.now
            let result: Result<[UInt8], WorkerError>
            do throws(WorkerError) {
                result = .success(
                    try process.ask(
                        .predict, item.payload, deadline: item.deadline, replyBytesMax: limits.replyBytesMax
                    ) { self.expire() })
            } catch {
                result = .failure(error)
            }
            let isGone = process.isGone
            state.withLock { state in
                state.computeNanoseconds += MonotonicTime.now.nanoseconds - started.nanoseconds
                if isGone { state.servingCount -= 1 }
            }
            item.continuation.resume(returning: result)
            if isGone, case .failure(let error) = result { return error }
        }
    }

    /// Sleeps until a request may wait; false when the process has ended meanwhile.
    private func waitForWork(_ process: WorkerProcess) -> Bool {
        var watches = [
            pollfd(fd: wakeUp, events: Int16(POLLIN), revents: 0),
            pollfd(fd: process.descriptor, events: Int16(POLLIN), revents: 0),
        ]
        _ = poll(&watches, 2, -1)
        if watches[1].revents != 0 {
            // It speaks only when asked: this is its end.
            state.withLock { $0.servingCount -= 1 }
            return false
        }
        return true
    }

    /// Takes one from the count of requests that wait; nothing when it is zero.
    private func consumeWakeUp() {
        var count: UInt64 = 0
        _ = read(wakeUp, &count, 8)
    }

    /// Waits before a process is replaced; false when the pool was retired and nobody waits.
    private func pause(_ milliseconds: UInt64, because failure: WorkerError) -> Bool {
        state.withLock { state in
            state.restartCount += 1
            state.failure = "\(failure.message); it is being started again"
        }
        order.log.write(line: "slipway: model \(name): \(failure.message); starting it again in \(milliseconds) ms")
        let end = MonotonicTime.now.advanced(milliseconds: milliseconds)
        while MonotonicTime.now < end {
            usleep(20_000)
            expire()
            if state.withLock({ $0.isRetired && $0.items.isEmpty }) { return false }
        }
        return true
    }

    /// The thread's end: the last one answers what still waits.
    private func ended() {
        let (left, isLast) = state.withLock { state -> ([Item], Bool) in
            state.threadCount -= 1
            guard state.threadCount == 0 else { return ([], false) }
            state.isRetired = true
            defer { state.items = [] }
            return (state.items, true)
        }
        for item in left { item.continuation.resume(returning: .failure(WorkerError(.retired, "it was replaced"))) }
        if isLast { onEnd() }
    }
}
