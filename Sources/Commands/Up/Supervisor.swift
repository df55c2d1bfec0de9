// The supervisor: one thread that starts the roles, waits for signals, starts again what died, and at the end leaves no
// process behind. It is the sub-reaper of everything its roles start, so that even a process whose parent died is found.

import CLinux
import Clock
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
        for index in children.indices { try start(index) }
        var waiting = children.flatMap { child in child.plan.ports.map(\.port) }
        var isReady = false
        while true {
            if !isReady {
                waiting.removeAll { Self.accepts($0) }
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
            try restartDue()
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

    private mutating func restartDue() throws {
        for index in children.indices {
            if let due = children[index].restartAt, MonotonicTime.now >= due { try start(index) }
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
        for child in children { child.process?.signal(SIGKILL) }
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

    private static func accepts(_ port: Int) -> Bool {
        let descriptor = socket(AF_INET, Int32(SOCK_STREAM.rawValue | SOCK_CLOEXEC.rawValue), 0)
        defer { close(descriptor) }
        var address = sockaddr_in()
        address.sin_family = sa_family_t(AF_INET)
        address.sin_port = in_port_t(port).bigEndian
        address.sin_addr.s_addr = in_addr_t(0x7f00_0001).bigEndian
        return withUnsafePointer(to: &address) {
            $0.withMemoryRebound(to: sockaddr.self, capacity: 1) {
                connect(descriptor, $0, socklen_t(MemoryLayout<sockaddr_in>.size))
            }
        } == 0
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
