import CLinux
import Glibc

/// A program of this machine that is started as a child process.
///
/// Signals that servers handle or ignore (SIGTERM, SIGINT, SIGCHLD, SIGPIPE) do in it what they do by default.
package struct ChildProgram {
    /// What the child has as one of its descriptors.
    package enum Descriptor {
        /// What this process has under the same number.
        case inherited
        /// `/dev/null`.
        case null
        /// A copy of a descriptor of this process, whose number must be above all that are listed.
        case copy(Int32)
    }

    /// Why a program was not started. `description` is the system's reason.
    package struct Failure: Error, CustomStringConvertible {
        package let code: Int32
        package var description: String { String(cString: strerror(code)) }
    }

    private let path: String
    private let arguments: [String]
    private let descriptors: [Descriptor]
    private let environment: [String: String]?
    private let leadsGroup: Bool

    /// - Parameters:
    ///   - path: the program's file; one without a slash is looked for in `PATH`.
    ///   - arguments: as the program sees them, its own name first.
    ///   - descriptors: those from 0 on. The child has no others: libraries open sockets that would outlive this
    ///     process's in it, and keep their peers from seeing an end.
    ///   - environment: nil for that of this process.
    ///   - leadsGroup: true for a process group of its own: what the child starts can be ended with it, and the
    ///     terminal's Ctrl-C does not reach it.
    package init(
        _ path: String, _ arguments: [String], descriptors: [Descriptor], environment: [String: String]? = nil,
        leadsGroup: Bool = false
    ) {
        self.path = path
        self.arguments = arguments
        self.descriptors = descriptors
        self.environment = environment
        self.leadsGroup = leadsGroup
    }

    /// Starts the program and returns its process ID, which is to be waited for. The corresponding C function is
    /// `posix_spawnp`.
    package func start() throws(Failure) -> Int32 {
        var actions = posix_spawn_file_actions_t()
        posix_spawn_file_actions_init(&actions)
        defer { posix_spawn_file_actions_destroy(&actions) }
        for (number, descriptor) in descriptors.enumerated() {
            switch descriptor {
            case .inherited: break
            case .null: posix_spawn_file_actions_addopen(&actions, Int32(number), "/dev/null", O_RDWR, 0)
            case .copy(let source): posix_spawn_file_actions_adddup2(&actions, source, Int32(number))
            }
        }
        slipway_spawn_close_from(&actions, Int32(descriptors.count))
        var attributes = posix_spawnattr_t()
        posix_spawnattr_init(&attributes)
        defer { posix_spawnattr_destroy(&attributes) }
        posix_spawnattr_setflags(&attributes, Int16(POSIX_SPAWN_SETSIGDEF | (leadsGroup ? POSIX_SPAWN_SETPGROUP : 0)))
        posix_spawnattr_setpgroup(&attributes, 0)
        var defaults = sigset_t()
        sigemptyset(&defaults)
        for number in [SIGTERM, SIGINT, SIGCHLD, SIGPIPE] { sigaddset(&defaults, number) }
        posix_spawnattr_setsigdefault(&attributes, &defaults)
        var words: [UnsafeMutablePointer<CChar>?] = arguments.map { strdup($0) } + [nil]
        var variables: [UnsafeMutablePointer<CChar>?] =
            environment.map { $0.map { strdup("\($0.key)=\($0.value)") } + [nil] } ?? []
        defer { for text in words + variables { free(text) } }
        var processID: pid_t = 0
        let code =
            variables.isEmpty
            ? posix_spawnp(&processID, path, &actions, &attributes, &words, environ)
            : posix_spawnp(&processID, path, &actions, &attributes, &words, &variables)
        guard code == 0 else { throw Failure(code: code) }
        return processID
    }

    /// Runs a program of the host and waits for it; true when it exits with 0. It reads nothing, and its output is
    /// dropped. Blocks: not to be called on an event loop.
    package static func succeeds(_ words: [String]) -> Bool {
        let program = ChildProgram(words[0], words, descriptors: [.null, .null, .null])
        guard let processID = try? program.start() else { return false }
        var status: Int32 = 0
        while waitpid(processID, &status, 0) < 0 { if errno != EINTR { return false } }
        return status == 0
    }
}
