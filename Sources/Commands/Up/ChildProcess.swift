import CLinux
import Glibc

/// A role running as a child process of the supervisor, in a process group of its own so that the terminal's Ctrl-C
/// reaches the supervisor alone.
struct ChildProcess {
    let processID: pid_t

    /// How long a supervised role lets requests in flight go on when it is told to stop. Cancelling and closing what is
    /// left comes after it, and all of it before the supervisor's patience ends.
    static let drainMilliseconds: UInt64 = 800

    private static let supervisorVariable = "SLIPWAY_SUPERVISOR"

    /// True in a role that a supervisor has started.
    static var isSupervised: Bool { getenv(supervisorVariable) != nil }

    /// Starts this program again with `arguments`.
    ///
    /// The environment gets `SLIPWAY_SUPERVISOR`, at which the child asks the kernel to end it with its parent.
    static func start(_ arguments: [String], environment: [String: String]) throws -> ChildProcess {
        var attributes = posix_spawnattr_t()
        posix_spawnattr_init(&attributes)
        defer { posix_spawnattr_destroy(&attributes) }
        posix_spawnattr_setflags(&attributes, Int16(POSIX_SPAWN_SETPGROUP | POSIX_SPAWN_SETSIGDEF))
        posix_spawnattr_setpgroup(&attributes, 0)
        var defaults = sigset_t()
        sigemptyset(&defaults)
        for number in [SIGTERM, SIGINT, SIGCHLD, SIGPIPE] { sigaddset(&defaults, number) }
        posix_spawnattr_setsigdefault(&attributes, &defaults)

        var variables = environment
        variables[supervisorVariable] = "\(getpid())"
        var argv = (["slipway"] + arguments).map { strdup($0) } + [nil]
        var envp = variables.map { strdup("\($0.key)=\($0.value)") } + [nil]
        defer { for pointer in argv + envp { free(pointer) } }
        var processID: pid_t = 0
        var actions = posix_spawn_file_actions_t()
        posix_spawn_file_actions_init(&actions)
        defer { posix_spawn_file_actions_destroy(&actions) }
        slipway_spawn_close_from(&actions, 3)
        let failure = posix_spawn(&processID, "/proc/self/exe", &actions, &attributes, &argv, &envp)
        guard failure == 0 else { throw CommandFailure("cannot start a role: \(String(cString: strerror(failure)))") }
        return ChildProcess(processID: processID)
    }

    func signal(_ number: Int32) { kill(processID, number) }

    /// Called first thing in a child: its parent's end, however it comes, ends it too.
    static func followSupervisor(_ environment: [String: String]) {
        guard let supervisor = environment[supervisorVariable].flatMap({ pid_t($0) }) else { return }
        slipway_end_with_parent(SIGTERM)
        // It may have ended before the kernel was asked.
        if getppid() != supervisor { exit(1) }
    }
}
