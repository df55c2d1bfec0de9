// Starts steps and learns of their ends. Every step has a launcher process of its own (target CStep) that outlives this
// one; what is known about a step is in its folder, so that a runner started later finds it again.

import Bytes
import CLinux
import CStep
import Clock
import EventLoop
import Files
import Glibc
import Log
import Synchronization

package struct RunnerError: Error, CustomStringConvertible {
    package let description: String
}

/// Starts, finds and watches steps. Safe to share.
package final class StepRunner: Sendable {
    /// What this machine and user allow; found out once by running a step.
    package let isolation: Isolation
    private let folder: String
    private let staging: String
    private let carried: [String]
    private let spawner = Mutex<Int32>(-1)
    private let running = Mutex<[Int32: StepProcess]>([:])
    private let pool = BlockingPool(name: "runner", threadCount: 2)
    let execPool = BlockingPool(name: "exec", threadCount: 1, backlogCountMax: 256)
    let endPool = BlockingPool(name: "exec-ends", threadCount: 1, backlogCountMax: 1024)
    private let poller: Int32
    private let logger = Logger(role: "runner")

    /// `folder` (absolute, made when missing) is the runner's own. Throws `SystemError` when it cannot be used.
    package init(folder: String) throws {
        self.folder = folder
        staging = folder + "/root"
        try FileTools.makeFolder(staging)
        carried = HostMounts.carried(mountinfo: FileTools.read("/proc/self/mountinfo") ?? [], under: [folder])
        poller = epoll_create1(Int32(EPOLL_CLOEXEC))
        guard poller >= 0 else { throw SystemError("epoll_create1") }
        let socket = try Self.startSpawner()
        spawner.withLock { $0 = socket }
        isolation = Self.probe(socket: socket, folder: folder, staging: staging, carried: carried)
        Thread.start(name: "steps") { self.watch() }
        if isolation == .plain {
            logger.warning("steps run as plain processes: no private /tmp, no volume mounts; run as root to have them")
        }
    }

    private static func startSpawner() throws -> Int32 {
        var processID: pid_t = 0
        let socket = slipway_spawner_start(&processID)
        guard socket >= 0 else { throw SystemError("starting the step spawner", code: -socket) }
        return socket
    }

    /// Starts the step of `specification`, whose folder holds no step yet, and returns when its launcher exists.
    package func start(_ specification: StepSpecification) async throws -> StepProcess {
        try await pool.run { try self.startBlocking(specification) }
    }

    private func startBlocking(_ specification: StepSpecification) throws -> StepProcess {
        if let fault = specification.fault { throw RunnerError(description: fault) }
        try FileTools.makeFolder(specification.folder)
        if let image = specification.image {
            let bundle = ContainerBundle.configuration(of: specification, image: image, root: staging + "/root")
            try FileTools.write(specification.folder + "/config.json", bundle)
        }
        let records = specification.encoded(staging: staging, carried: carried)
        try FileTools.write(specification.folder + "/step", records)
        var processID: pid_t = 0
        let descriptor = try spawner.withLock { socket in
            var result = slipway_spawner_launch(socket, specification.folder, isolation.rawValue, &processID)
            if result == -EPIPE || result == -ECONNRESET {
                // Somebody killed the spawner; its launchers live, and a new one takes its place.
                close(socket)
                socket = try Self.startSpawner()
                result = slipway_spawner_launch(socket, specification.folder, isolation.rawValue, &processID)
            }
            return result
        }
        guard descriptor >= 0 else { throw SystemError("starting a step", code: -descriptor) }
        return register(StepProcess(folder: specification.folder, processID: processID, descriptor: descriptor))
    }

    /// What a step's folder says about it.
    package enum Found: Sendable {
        /// Nothing was started here, or it was not written down: starting is safe.
        case neverStarted
        case running(StepProcess)
        case ended(StepOutcome)
    }

    /// Looks for a step that an earlier runner started in `folder`.
    package func find(folder: String) async throws -> Found {
        try await pool.run { self.findBlocking(folder: folder) }
    }

    private func findBlocking(folder: String) -> Found {
        if let outcome = Self.result(folder) { return .ended(outcome) }
        guard let record = FileTools.read(folder + "/launcher") else { return .neverStarted }
        let numbers = String(utf8: record).split(whereSeparator: { $0 == " " || $0 == "\n" })
        if numbers.count == 2, let processID = Int32(numbers[0]), let startTime = UInt64(numbers[1]) {
            let descriptor = slipway_pidfd_open(processID)
            // Read after the pidfd exists: the number now stands for the process that the pidfd holds.
            if descriptor >= 0, slipway_process_start_time(processID) == startTime {
                return .running(register(StepProcess(folder: folder, processID: processID, descriptor: descriptor)))
            }
            if descriptor >= 0 { close(descriptor) }
        }
        if let outcome = Self.result(folder) { return .ended(outcome) }
        if let container = StepPlace(records: FileTools.read(folder + "/step") ?? []).container {
            // Its processes may take a moment to go, and others wait for this thread.
            _ = pool.submit { ControlGroups.remove(container) }
        }
        return .ended(.lost(started: .now))
    }

    private static func result(_ folder: String) -> StepOutcome? {
        guard var outcome = FileTools.read(folder + "/result").flatMap({ StepOutcome(parsing: $0) }) else { return nil }
        // A runtime that starts no container ends with 1, as a program may, and says so in its log.
        if outcome.exitCode == 1, let log = FileTools.read(folder + "/runtime.log", bytesMax: 64 * 1024),
            let fault = ContainerBundle.startFault(log: log)
        {
            outcome.exitCode = 128
            outcome.reason = .startError
            outcome.message = fault
        }
        return outcome
    }

    private func register(_ process: StepProcess) -> StepProcess {
        running.withLock { $0[process.descriptor] = process }
        var event = epoll_event()
        event.events = EPOLLIN.rawValue
        event.data.fd = process.descriptor
        epoll_ctl(poller, EPOLL_CTL_ADD, process.descriptor, &event)
        return process
    }

    /// The watching thread: a pidfd is readable when its process has ended.
    private func watch() {
        var events = [epoll_event](repeating: epoll_event(), count: 64)
        while true {
            let count = epoll_wait(poller, &events, Int32(events.count), -1)
            for index in 0..<Int(max(count, 0)) {
                let descriptor = events[index].data.fd
                epoll_ctl(poller, EPOLL_CTL_DEL, descriptor, nil)
                guard let process = running.withLock({ $0.removeValue(forKey: descriptor) }) else { continue }
                conclude(process)
            }
        }
    }

    private func conclude(_ process: StepProcess) {
        switch findBlocking(folder: process.folder) {
        case .ended(let outcome): process.finish(outcome)
        case .neverStarted: process.finish(.startError("the step's launcher could not write to its folder"))
        case .running(let earlier):
            // An earlier runner had started this step already, and its launcher holds the folder: that one counts.
            // Detached: this thread must go on watching.
            Task.detached { process.finish(await earlier.outcome()) }
        }
    }

    /// Steps running now.
    package var runningCount: Int { running.withLock { $0.count } }

    /// Runs `true` in each kind of isolation, strongest first, and returns the first that works.
    private static func probe(socket: Int32, folder: String, staging: String, carried: [String]) -> Isolation {
        let candidates: [Isolation] = geteuid() == 0 ? [.namespaces] : [.userNamespace]
        for candidate in candidates {
            let place = "\(folder)/probe"
            FileTools.removeTree(place)
            defer { FileTools.removeTree(place) }
            var specification = StepSpecification(folder: place, arguments: ["true"])
            specification.environment = [("PATH", "/usr/bin:/bin")]
            let records = specification.encoded(staging: staging, carried: carried)
            guard (try? FileTools.makeFolder(place)) != nil, (try? FileTools.write(place + "/step", records)) != nil
            else { continue }
            var processID: pid_t = 0
            let descriptor = slipway_spawner_launch(socket, place, candidate.rawValue, &processID)
            guard descriptor >= 0 else { continue }
            var wait = pollfd(fd: descriptor, events: Int16(POLLIN), revents: 0)
            poll(&wait, 1, 5000)
            close(descriptor)
            if result(place)?.reason == .completed { return candidate }
        }
        return .plain
    }
}
