import CLinux
import Glibc
import Processes

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
        var variables = environment
        variables[supervisorVariable] = "\(getpid())"
        let program = ChildProgram(
            "/proc/self/exe", ["slipway"] + arguments, descriptors: [.inherited, .inherited, .inherited],
            environment: variables, leadsGroup: true)
        do throws(ChildProgram.Failure) { return ChildProcess(processID: try program.start()) } catch {
            throw CommandFailure("cannot start a role: \(error)")
        }
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
