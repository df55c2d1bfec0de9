import Glibc

/// A bounded queue between callers and a database thread.
///
/// `@unchecked Sendable`: `jobs` and `isClosed` are touched only under `lock`.
final class JobQueue<Job>: @unchecked Sendable {
    private let lock = UnsafeMutablePointer<pthread_mutex_t>.allocate(capacity: 1)
    private let arrived = UnsafeMutablePointer<pthread_cond_t>.allocate(capacity: 1)
    private var jobs: [Job] = []
    private var head = 0
    private var isClosed = false
    private let countMax: Int

    enum Refusal { case full, closed }

    init(countMax: Int) {
        self.countMax = countMax
        pthread_mutex_init(lock, nil)
        pthread_cond_init(arrived, nil)
    }

    deinit {
        pthread_cond_destroy(arrived)
        pthread_mutex_destroy(lock)
        arrived.deallocate()
        lock.deallocate()
    }

    /// Adds a job. Returns why not when the queue is full or closed.
    func push(_ job: Job) -> Refusal? {
        pthread_mutex_lock(lock)
        defer { pthread_mutex_unlock(lock) }
        if isClosed { return .closed }
        if jobs.count - head >= countMax { return .full }
        jobs.append(job)
        pthread_cond_signal(arrived)
        return nil
    }

    /// The oldest jobs, `countMax` at most; waits for the first. Empty once the queue is closed and drained.
    func take(countMax: Int) -> ArraySlice<Job> {
        pthread_mutex_lock(lock)
        defer { pthread_mutex_unlock(lock) }
        while head == jobs.count, !isClosed { pthread_cond_wait(arrived, lock) }
        let taken = jobs[head..<min(head + countMax, jobs.count)]
        head += taken.count
        if head == jobs.count {
            jobs = []
            head = 0
        } else if head > 4096 {
            jobs.removeFirst(head)
            head = 0
        }
        return taken
    }

    /// Refuses further jobs; threads drain what is queued and end.
    func close() {
        pthread_mutex_lock(lock)
        isClosed = true
        pthread_cond_broadcast(arrived)
        pthread_mutex_unlock(lock)
    }
}
