// One thread, one epoll instance, one run queue. A loop is a `TaskExecutor`: each connection is one task created with the
// loop as its executor preference, so everything between two waits on the socket runs on the loop's thread without a
// hop. Leaving the loop costs 18-20 us of CPU, more than a whole small request; `Task {}` does leave it, `spawn` does not.
//
// A turn: run queued jobs, then closures from other threads, wait for events (not at all when jobs are queued), mark the
// channels ready, and every 250 ms look for channels whose deadline has passed.

import CLinux
package import Clock
import Glibc
import Synchronization

/// A thread that runs the tasks of its connections and waits for their sockets.
///
/// `@unchecked Sendable`: everything but `remote` is touched only on the loop's own thread.
package final class EventLoop: TaskExecutor, @unchecked Sendable {
    private struct Remote {
        var jobs: [UnownedJob] = []
        var closures: [@Sendable () -> Void] = []
        var isSignalled = false
        var isStopped = false
    }

    private let epoll: Int32
    private let wakeUp: Int32
    private let remote = Mutex(Remote())
    private var jobs: [UnownedJob] = []
    private var nextJob = 0
    private var channels: [Channel?] = []
    private var generations: [UInt32] = []
    private var freeSlots: [Int] = []
    private var nextDeadlineScan: UInt64 = 0
    private var idleActions: [() -> Void] = []
    private var yielded: [UnsafeContinuation<Void, Never>] = []

    private static let wakeUpToken = UInt64.max
    private static let tickMilliseconds: UInt64 = 250
    private static let jobsPerTurnMax = 1024

    /// Slabs for receiving, shared by the loop's connections.
    package let buffers = BufferPool()

    /// The monotonic time when the current turn began; good enough for deadlines, and free.
    package private(set) var turnTime = MonotonicTime.now

    /// Starts the loop's thread.
    package init(name: String) throws(SystemError) {
        epoll = try System.epollCreate()
        wakeUp = try System.eventDescriptor()
        try System.epollControl(epoll, EPOLL_CTL_ADD, wakeUp, events: EPOLLIN.rawValue, token: Self.wakeUpToken)
        // sendfile and OpenSSL have no MSG_NOSIGNAL: a peer that has gone must be an error, not the end of the process.
        signal(SIGPIPE, SIG_IGN)
        Thread.start(name: name) { self.run() }
    }

    // MARK: Work

    /// True on the loop's own thread.
    package var isCurrent: Bool { slipway_current_loop() == Unmanaged.passUnretained(self).toOpaque() }

    /// The loop whose thread this is, or nil.
    package static var current: EventLoop? {
        slipway_current_loop().map { Unmanaged<EventLoop>.fromOpaque($0).takeUnretainedValue() }
    }

    package func enqueue(_ job: consuming ExecutorJob) {
        let job = UnownedJob(job)
        if isCurrent {
            jobs.append(job)
        } else {
            signalling { $0.jobs.append(job) }
        }
    }

    /// Runs `body` on the loop's thread: at once when called there, else soon.
    package func execute(_ body: @escaping @Sendable () -> Void) {
        if isCurrent { body() } else { signalling { $0.closures.append(body) } }
    }

    /// Starts a task that stays on this loop.
    @discardableResult
    package func spawn(_ body: @escaping @Sendable () async -> Void) -> Task<Void, Never> {
        Task(executorPreference: self) { await body() }
    }

    /// Runs `action` once, at the end of the present turn, when its jobs have run. Call on the loop.
    package func beforeNextWait(_ action: @escaping () -> Void) {
        precondition(isCurrent)
        idleActions.append(action)
    }

    /// Lets the loop's other connections have a turn, events included. `Task.yield` would only go to the end of this one.
    package func nextTurn() async { await withUnsafeContinuation { yielded.append($0) } }

    /// Ends the thread after the current turn. No task may be left on the loop.
    package func stop() { signalling { $0.isStopped = true } }

    private func signalling(_ change: (inout Remote) -> Void) {
        let signal = remote.withLock { remote in
            change(&remote)
            defer { remote.isSignalled = true }
            return !remote.isSignalled
        }
        if signal { System.signal(eventDescriptor: wakeUp) }
    }

    // MARK: Channels

    /// Starts watching `channel`'s descriptor, edge-triggered, or level-triggered for a listener.
    func register(_ channel: Channel, edgeTriggered: Bool) throws(SystemError) {
        precondition(isCurrent)
        let slot: Int
        if let free = freeSlots.popLast() {
            slot = free
        } else {
            slot = channels.count
            channels.append(nil)
            generations.append(0)
        }
        let token = UInt64(generations[slot]) << 32 | UInt64(slot)
        let events =
            edgeTriggered
            ? EPOLLIN.rawValue | EPOLLOUT.rawValue | EPOLLRDHUP.rawValue | EPOLLET.rawValue : EPOLLIN.rawValue
        do throws(SystemError) {
            try System.epollControl(epoll, EPOLL_CTL_ADD, channel.descriptor, events: events, token: token)
        } catch {
            freeSlots.append(slot)
            throw error
        }
        channels[slot] = channel
        channel.slot = slot
    }

    /// Stops watching. The slot's generation changes, so that events already fetched for it are ignored.
    func deregister(_ channel: Channel) {
        precondition(isCurrent)
        guard let slot = channel.slot else { return }
        channel.slot = nil
        channels[slot] = nil
        generations[slot] &+= 1
        freeSlots.append(slot)
        try? System.epollControl(epoll, EPOLL_CTL_DEL, channel.descriptor, events: 0, token: 0)
    }

    // MARK: The turn

    private func run() {
        slipway_set_current_loop(Unmanaged.passUnretained(self).toOpaque())
        let events = UnsafeMutableBufferPointer<epoll_event>.allocate(capacity: 256)
        defer {
            events.deallocate()
            System.close(epoll)
            System.close(wakeUp)
        }
        while true {
            runJobs()
            if takeRemote() { return }
            if !idleActions.isEmpty {
                let actions = idleActions
                idleActions = []
                for action in actions { action() }
            }
            // The actions may have made jobs, and a turn leaves some when it had very many.
            let hasJobs = nextJob < jobs.count || !idleActions.isEmpty || !yielded.isEmpty
            let watches = channels.count > freeSlots.count
            let timeout: Int32 = hasJobs ? 0 : watches ? Int32(Self.tickMilliseconds) : -1
            let count = System.epollWait(epoll, events, timeout: timeout)
            turnTime = .now
            for index in 0..<count { dispatch(events[index]) }
            if !yielded.isEmpty { resumeYielded() }
            if turnTime.nanoseconds >= nextDeadlineScan { scanDeadlines() }
        }
    }

    private func resumeYielded() {
        let waiting = yielded
        yielded = []
        for continuation in waiting { continuation.resume() }
    }

    private func runJobs() {
        let executor = asUnownedTaskExecutor()
        var count = 0
        while nextJob < jobs.count, count < Self.jobsPerTurnMax {
            let job = jobs[nextJob]
            nextJob += 1
            count += 1
            job.runSynchronously(on: executor)
        }
        if nextJob == jobs.count {
            jobs.removeAll(keepingCapacity: true)
            nextJob = 0
        } else if nextJob > 4096 {
            jobs.removeFirst(nextJob)
            nextJob = 0
        }
    }

    /// Moves other threads' work here; true when the loop was stopped.
    private func takeRemote() -> Bool {
        let (newJobs, closures, isStopped) = remote.withLock { remote in
            defer {
                remote.jobs = []
                remote.closures = []
            }
            return (remote.jobs, remote.closures, remote.isStopped)
        }
        jobs.append(contentsOf: newJobs)
        for closure in closures { closure() }
        return isStopped && jobs.isEmpty
    }

    private func dispatch(_ event: epoll_event) {
        let token = event.data.u64
        if token == Self.wakeUpToken {
            System.drain(eventDescriptor: wakeUp)
            remote.withLock { $0.isSignalled = false }
            return
        }
        let slot = Int(token & 0xffff_ffff)
        guard generations[slot] == UInt32(token >> 32), let channel = channels[slot] else { return }
        channel.ready(event.events)
    }

    private func scanDeadlines() {
        nextDeadlineScan = turnTime.nanoseconds + Self.tickMilliseconds * 1_000_000
        for channel in channels { channel?.tick(turnTime) }
    }
}
