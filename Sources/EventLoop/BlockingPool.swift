// Threads for work that blocks: disk, SQLite, models. Bounded: a full queue is an error the caller turns into 503, not
// growth. One hop costs about 20-30 us of CPU, so work below that stays on the loop.

import Glibc
import Synchronization

/// The pool's queue is full.
package struct PoolFullError: Error {}

/// A fixed number of threads that run blocking closures in the order they came.
package final class BlockingPool: Sendable {
    private struct Queue {
        var jobs: [@Sendable () -> Void] = []
        var head = 0
        var count: Int { jobs.count - head }

        mutating func pop() -> (@Sendable () -> Void)? {
            guard head < jobs.count else { return nil }
            let job = jobs[head]
            jobs[head] = {}
            head += 1
            if head == jobs.count {
                jobs.removeAll(keepingCapacity: true)
                head = 0
            } else if head > 1024 {
                jobs.removeFirst(head)
                head = 0
            }
            return job
        }
    }

    private let queue = Mutex(Queue())
    private let semaphore = CountingSemaphore()
    private let backlogCountMax: Int

    /// Starts `threadCount` threads that live as long as the process.
    package init(name: String, threadCount: Int, backlogCountMax: Int = 4096) {
        precondition(threadCount > 0 && backlogCountMax > 0)
        self.backlogCountMax = backlogCountMax
        for index in 0..<threadCount {
            Thread.start(name: "\(name)-\(index)") { self.work() }
        }
    }

    private func work() {
        while true {
            semaphore.wait()
            if let job = queue.withLock({ $0.pop() }) { job() }
        }
    }

    /// Queues `body` and returns at once; false when `backlogCountMax` closures wait already, and then it never runs.
    package func submit(_ body: @escaping @Sendable () -> Void) -> Bool {
        let accepted = queue.withLock { queue in
            guard queue.count < backlogCountMax else { return false }
            queue.jobs.append(body)
            return true
        }
        if accepted { semaphore.signal() }
        return accepted
    }

    /// Runs `body` on a pool thread and resumes the caller on its own executor with the result.
    ///
    /// Throws `PoolFullError` when `backlogCountMax` closures wait already, else what `body` throws.
    package func run<Value: Sendable>(_ body: @escaping @Sendable () throws -> Value) async throws -> Value {
        try await withUnsafeThrowingContinuation { (continuation: UnsafeContinuation<Value, any Error>) in
            let accepted = queue.withLock { queue in
                guard queue.count < backlogCountMax else { return false }
                queue.jobs.append { continuation.resume(with: Result { try body() }) }
                return true
            }
            if accepted { semaphore.signal() } else { continuation.resume(throwing: PoolFullError()) }
        }
    }
}

/// A POSIX semaphore on the heap. It has no owner thread; `wait` and `signal` may be called from any.
final class CountingSemaphore: @unchecked Sendable {
    private let raw = UnsafeMutablePointer<sem_t>.allocate(capacity: 1)

    init() { sem_init(raw, 0, 0) }
    deinit {
        sem_destroy(raw)
        raw.deallocate()
    }

    func wait() { while sem_wait(raw) == -1 && errno == EINTR {} }
    func signal() { sem_post(raw) }
}
