// The supervisor: one thread that starts the roles, waits for signals, starts again what died, and at the end leaves no
// process behind. It is the sub-reaper of everything its roles start, so that even a process whose parent died is found.

import CLinux
import Clock
import EventLoop
import Glibc
import Log

/// Keeps a set of roles running until it is told to stop.
struct Supervisor {
    private struct Child {
        let plan: RolePlan
        var process: ChildProcess?
        var startedAt = MonotonicTime.now
        var backOff = RestartBackOff()
        var restartAt: MonotonicTime?
    }

    private var children: [Child]
    private let signals: Int32
    private let logger = Logger(role: "up")

    init(plans: [RolePlan]) throws {
        children = plans.map { Child(plan: $0) }
        signals = try Termination.install(also: [SIGCHLD])
        slipway_become_subreaper()
    }

    /// Starts every role and calls `ready` once all their ports accept connections. Returns after SIGTERM or SIGINT, when
    /// every process is gone; throws `CommandFailure` when a role ends before all are ready.
    mutating func run(ready: () -> Void) throws {
        do {
            for index in children.indices { try start(index) }
        } catch {
            stop()
            throw error
        }
        var waiting = children.flatMap { child in
            child.plan.ports.compactMap { SocketAddress(host: child.plan.host, port: $0.port) }
        }
        var isReady = false
        while true {
            if !isReady {
                waiting.removeAll { $0.accepts() }
                if waiting.isEmpty {
                    isReady = true
                    ready()
                }
            }
            for number in nextSignals(timeoutMilliseconds: isReady ? untilRestart() : 5) {
                switch Int32(number) {
                case SIGTERM, SIGINT: return stop()
                default: break
                }
            }
            let dead = reap()
            if !isReady, let name = dead.first {
                stop()
                throw CommandFailure("the role \(name) ended while starting", hint: "Its reason stands above.")
            }
            restartDue()
        }
    }

    private mutating func start(_ index: Int) throws {
        let plan = children[index].plan
        children[index].process = try ChildProcess.start(plan.arguments, environment: plan.environment)
        children[index].startedAt = .now
        children[index].restartAt = nil
    }

    /// Collects every process that has ended; the names of roles among them.
    private mutating func reap() -> [String] {
        var dead: [String] = []
        while true {
            var status: Int32 = 0
            let processID = waitpid(-1, &status, WNOHANG)
            guard processID > 0 else { return dead }
            guard let index = children.firstIndex(where: { $0.process?.processID == processID }) else { continue }
            let delay = children[index].backOff.delay(afterSeconds: children[index].startedAt.elapsedSeconds)
            children[index].process = nil
            children[index].restartAt = MonotonicTime.now.advanced(milliseconds: delay)
            dead.append(children[index].plan.name)
            logger.warning(
                "role ended; starting it again",
                [
                    ("role", children[index].plan.name), ("how", Self.describe(status)), ("in_ms", "\(delay)"),
                ])
        }
    }

    private mutating func restartDue() {
        for index in children.indices {
            guard let due = children[index].restartAt, MonotonicTime.now >= due else { continue }
            do {
                try start(index)
            } catch {
                // Too many processes, or no memory: that may pass, and the other roles must go on.
                let delay = children[index].backOff.delay(afterSeconds: 0)
                children[index].restartAt = MonotonicTime.now.advanced(milliseconds: delay)
                logger.error(
                    "role cannot be started",
                    [("role", children[index].plan.name), ("error", "\(error)"), ("again_in_ms", "\(delay)")])
            }
        }
    }

    private func untilRestart() -> Int32 {
        guard let next = children.compactMap(\.restartAt).min() else { return -1 }
        let now = MonotonicTime.now
        return next <= now ? 0 : Int32((next.nanoseconds - now.nanoseconds) / 1_000_000) + 1
    }

    /// Ends everything: SIGTERM, SIGKILL to what is left after 1.5 s, then whatever the roles left behind.
    private mutating func stop() {
        for child in children { child.process?.signal(SIGTERM) }
        let deadline = MonotonicTime.now.advanced(milliseconds: 1500)
        while children.contains(where: { $0.process != nil }), MonotonicTime.now < deadline {
            _ = nextSignals(timeoutMilliseconds: 20)
            collectWithoutRestart()
        }
        for child in children where child.process != nil {
            logger.warning("role killed: it did not end in time", [("role", child.plan.name)])
            child.process?.signal(SIGKILL)
        }
        let killed = MonotonicTime.now.advanced(milliseconds: 300)
        while MonotonicTime.now < killed {
            let orphans = Descendants.of(getpid())
            guard !orphans.isEmpty else { break }
            for orphan in orphans { kill(orphan, SIGKILL) }
            usleep(5000)
            collectWithoutRestart()
        }
        logger.info("stopped")
    }

    private mutating func collectWithoutRestart() {
        while true {
            let processID = waitpid(-1, nil, WNOHANG)
            guard processID > 0 else { return }
            for index in children.indices where children[index].process?.processID == processID {
                children[index].process = nil
            }
        }
    }

    private func nextSignals(timeoutMilliseconds: Int32) -> [UInt8] {
        var wait = pollfd(fd: signals, events: Int16(POLLIN), revents: 0)
        poll(&wait, 1, timeoutMilliseconds)
        var bytes = [UInt8](repeating: 0, count: 64)
        let count = read(signals, &bytes, bytes.count)
        return Array(bytes.prefix(max(0, count)))
    }

    /// `exit status 3` or `signal 9`, from a wait status.
    private static func describe(_ status: Int32) -> String {
        status & 0x7f == 0 ? "exit status \(status >> 8 & 0xff)" : "signal \(status & 0x7f)"
    }
}

/// The processes below another.
enum Descendants {
    static func of(_ processID: pid_t) -> [pid_t] {
        guard let bytes = try? PrivateFile.read("/proc/\(processID)/task/\(processID)/children") else { return [] }
        let direct = bytes.split(separator: UInt8(ascii: " ")).compactMap { pid_t(String(decoding: $0, as: UTF8.self)) }
        return direct.flatMap { of($0) } + direct
    }
}
