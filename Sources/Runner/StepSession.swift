// A command run beside a step's own process, in the same view: `kubectl exec`, exec probes.

import Bytes
import CLinux
import CStep
import EventLoop
import Files
import Glibc

/// What to run and with which streams.
package struct StepCommand: Sendable {
    package var arguments: [String]
    package var hasInput = false
    package var hasOutput = true
    package var hasError = true
    /// One pseudo terminal for all three.
    package var isTerminal = false

    package init(_ arguments: [String]) { self.arguments = arguments }
}

/// A running command. Its descriptors are non-blocking, this end's, and belong to whoever takes them with `takeX`; those
/// that nobody took are closed with it.
package final class StepSession: @unchecked Sendable {
    // Set once before the session is handed out; taken by one owner.
    private var input: Int32
    private var output: Int32
    private var error: Int32
    private let keeper: Int32
    private let isTerminal: Bool
    /// Where the keeper of a command that nobody waited for is collected.
    private let ends: BlockingPool

    fileprivate init(
        input: Int32, output: Int32, error: Int32, keeper: Int32, isTerminal: Bool, ends: BlockingPool
    ) {
        self.ends = ends
        self.input = input
        self.output = output
        self.error = error
        self.keeper = keeper
        self.isTerminal = isTerminal
    }

    deinit {
        kill()
        for descriptor in [input, output, error] where descriptor >= 0 { close(descriptor) }
        // Whoever waited has the code by now; otherwise the kill above ends it within a moment.
        let keeper = keeper
        let isTaken = ends.submit {
            var end = pollfd(fd: keeper, events: Int16(POLLIN), revents: 0)
            poll(&end, 1, 5000)
            _ = slipway_exec_code(keeper)
            close(keeper)
        }
        if !isTaken { close(keeper) }
    }

    /// Where the command's standard input is written; -1 when it has none. With a terminal, its master.
    package func takeInput() -> Int32 { take(&input) }
    /// Where standard output is read; with a terminal -1, since `takeInput` serves both.
    package func takeOutput() -> Int32 { take(&output) }
    package func takeError() -> Int32 { take(&error) }

    private func take(_ descriptor: inout Int32) -> Int32 {
        defer { descriptor = -1 }
        return descriptor
    }

    /// A descriptor that is readable once the command has ended. It stays the session's own.
    package var endDescriptor: Int32 { keeper }

    /// The exit code, 128 + n after signal n; nil while the command runs. Gives it once.
    package func exitCode() -> Int? {
        let code = slipway_exec_code(keeper)
        return code == -EAGAIN ? nil : code < 0 ? 137 : Int(code)
    }

    /// Kills the command and its process group.
    package func kill() { _ = slipway_pidfd_signal(keeper, SIGTERM, 0) }

    /// Sets the size of the terminal whose master is `descriptor`.
    package static func resize(_ descriptor: Int32, columns: Int, rows: Int) {
        _ = slipway_terminal_resize(descriptor, Int32(clamping: columns), Int32(clamping: rows))
    }
}

extension StepRunner {
    /// Runs `command` in the view of `process`, with its environment, user and working directory. Blocks for some
    /// milliseconds. Throws `SystemError`, or `RunnerError` for arguments that cannot be handed on.
    package func execute(_ command: StepCommand, in process: StepProcess) async throws -> StepSession {
        try await execPool.run { try self.executeBlocking(command, in: process) }
    }

    private func executeBlocking(_ command: StepCommand, in process: StepProcess) throws -> StepSession {
        guard let program = command.arguments.first, !program.isEmpty else {
            throw RunnerError(description: "no command")
        }
        guard !command.arguments.contains(where: { $0.utf8.contains(0) }) else {
            throw RunnerError(description: "an argument contains a NUL character")
        }
        guard let records = FileTools.read(process.folder + "/step") else {
            throw RunnerError(description: "the container's specification cannot be read")
        }
        let ends = try SessionEnds(command)
        defer { ends.closeTheirs() }
        var keeper: Int32 = -1
        let place = StepPlace(records: records, addingTerminal: command.isTerminal)
        let processFile = place.processFile()
        withStrings(place.line(of: command, processFile)) { arguments in
            withStrings(place.environment) { environment in
                (place.workingDirectory ?? "/").withCString { directory in
                    var exec = slipway_exec()
                    exec.launcher = process.descriptor
                    exec.isolation = isolation.rawValue
                    exec.arguments = arguments
                    exec.environment = environment
                    exec.working_directory = directory
                    exec.user = place.user
                    exec.group = place.group
                    exec.input = ends.theirInput
                    exec.output = ends.theirOutput
                    exec.error = ends.theirError
                    exec.terminal = command.isTerminal ? 1 : 0
                    var identifier: pid_t = 0
                    if let processFile {
                        keeper = processFile.withCString { path in
                            exec.process_file = path
                            return slipway_exec_start(&exec, &identifier)
                        }
                    } else {
                        keeper = slipway_exec_start(&exec, &identifier)
                    }
                }
            }
        }
        guard keeper >= 0 else {
            ends.closeOurs()
            throw SystemError("starting a command", code: -keeper)
        }
        return StepSession(
            input: ends.ourInput, output: ends.ourOutput, error: ends.ourError, keeper: keeper,
            isTerminal: command.isTerminal, ends: endPool)
    }

    private func withStrings(_ texts: [String], _ body: (UnsafePointer<UnsafePointer<CChar>?>) -> Void) {
        let copies = texts.map { strdup($0) }
        defer { for copy in copies { free(copy) } }
        let pointers: [UnsafePointer<CChar>?] = copies.map { UnsafePointer($0) } + [nil]
        pointers.withUnsafeBufferPointer { buffer in
            if let base = buffer.baseAddress { body(base) }
        }
    }
}

/// What a step's own process was given, read back from its records: as true after a restart as before.
struct StepPlace {
    var environment: [String] = []
    var workingDirectory: String?
    var user: Int64 = -1
    var group: Int64 = -1
    /// The OCI runtime and the container's name, of a step in an image.
    var runtime: String?
    var container: String?
    private var staging = ""

    init(records: [UInt8], addingTerminal: Bool = false) {
        for record in records.split(separator: 0) {
            guard let key = record.first else { continue }
            let value = String(utf8: record.dropFirst())
            switch key {
            case UInt8(ascii: "e"): environment.append(value)
            case UInt8(ascii: "w"): workingDirectory = value
            case UInt8(ascii: "u"): user = Int64(value) ?? -1
            case UInt8(ascii: "g"): group = Int64(value) ?? -1
            case UInt8(ascii: "x"): runtime = value
            case UInt8(ascii: "k"): container = value
            case UInt8(ascii: "s"): staging = value
            default: break
            }
        }
        // The runtime's own; the command gets what the container's configuration says.
        if runtime != nil { environment = ["PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"] }
        if addingTerminal, !environment.contains(where: { $0.hasPrefix("TERM=") }) { environment.append("TERM=xterm") }
    }

    /// A new file, in the memory of the step's launcher, for the id of a process that the runtime starts; nil without one.
    func processFile() -> String? { runtime == nil ? nil : "\(staging)/state/\(Randomness.hexID()).pid" }

    /// What to start for `command`: itself, or the runtime that starts it in the container.
    func line(of command: StepCommand, _ processFile: String?) -> [String] {
        guard let runtime, let container, let processFile else { return command.arguments }
        let terminal = command.isTerminal ? ["--tty", "--env", "TERM=xterm"] : []
        return [runtime, "--root", staging + "/state", "exec", "--pid-file", processFile] + terminal + [container]
            + command.arguments
    }
}

/// Both ends of a command's streams.
private struct SessionEnds {
    var ourInput: Int32 = -1
    var ourOutput: Int32 = -1
    var ourError: Int32 = -1
    var theirInput: Int32
    var theirOutput: Int32
    var theirError: Int32
    private let isTerminal: Bool

    init(_ command: StepCommand) throws {
        isTerminal = command.isTerminal
        if command.isTerminal {
            var slave: Int32 = -1
            ourInput = slipway_terminal_open(&slave)
            guard ourInput >= 0 else { throw SystemError("opening a terminal", code: -ourInput) }
            theirInput = slave
            theirOutput = slave
            theirError = slave
            return
        }
        theirInput = open("/dev/null", O_RDONLY | O_CLOEXEC)
        theirOutput = open("/dev/null", O_WRONLY | O_CLOEXEC)
        theirError = open("/dev/null", O_WRONLY | O_CLOEXEC)
        do {
            if command.hasInput { (theirInput, ourInput) = try Self.pipe(replacing: theirInput, theyRead: true) }
            if command.hasOutput { (theirOutput, ourOutput) = try Self.pipe(replacing: theirOutput, theyRead: false) }
            if command.hasError { (theirError, ourError) = try Self.pipe(replacing: theirError, theyRead: false) }
        } catch {
            closeOurs()
            closeTheirs()
            throw error
        }
    }

    /// A pipe whose end for the command blocks, as programs expect.
    private static func pipe(replacing old: Int32, theyRead: Bool) throws -> (theirs: Int32, ours: Int32) {
        var ends: [Int32] = [-1, -1]
        guard slipway_pipe(&ends) == 0 else { throw SystemError("pipe") }
        close(old)
        let theirs = theyRead ? ends[0] : ends[1]
        _ = fcntl(theirs, F_SETFL, 0)
        return (theirs, theyRead ? ends[1] : ends[0])
    }

    func closeTheirs() {
        for descriptor in isTerminal ? [theirInput] : [theirInput, theirOutput, theirError] where descriptor >= 0 {
            close(descriptor)
        }
    }

    func closeOurs() {
        for descriptor in [ourInput, ourOutput, ourError] where descriptor >= 0 { close(descriptor) }
    }
}
