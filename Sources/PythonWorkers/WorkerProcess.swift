// One Python process and the socket to it. Used by one thread, which started it: the kernel ends the process with that
// thread, so a server that is killed leaves nobody behind.
//
// A message is four bytes of length (little-endian), one byte of kind and the payload; `worker.py` has the other end.

import Bytes
import CPythonWorker
import Clock
import EventLoop
import Glibc
import Log
import Processes

final class WorkerProcess {
    enum Kind: UInt8 {
        case load = 0x4c
        case predict = 0x50
        case result = 0x52
        case error = 0x45
    }

    let processID: pid_t
    private let socket: Int32
    private var exit: String?

    /// The descriptor to wait on for the process's end.
    var descriptor: Int32 { socket }
    /// True when the process has ended and was collected.
    var isGone: Bool { exit != nil }

    // MARK: Start

    /// Starts the interpreter. Throws `loadFailed` when that is not possible.
    init(_ order: WorkerOrder) throws(WorkerError) {
        let script = "\(order.workspace)/worker.py"
        try Self.writeScript(script)
        var ends: [Int32] = [-1, -1]
        let kind = Int32(SOCK_STREAM.rawValue) | Int32(SOCK_CLOEXEC.rawValue)
        guard socketpair(AF_UNIX, kind, 0, &ends) == 0 else { throw Self.failure("a socket") }
        // Descriptors 0 to 3 are placed by the spawn; what is placed must lie above them.
        let own = ends[0], theirs = Self.high(ends[1])
        var pipeEnds: [Int32] = [-1, -1]
        guard theirs >= 0, pipe(&pipeEnds) == 0 else {
            close(own)
            throw Self.failure("a pipe")
        }
        let output = Self.high(pipeEnds[1])
        _ = fcntl(pipeEnds[0], F_SETFD, FD_CLOEXEC)
        defer {
            close(theirs)
            close(output)
        }
        do throws(WorkerError) {
            processID = try Self.spawn(order, script: script, socket: theirs, output: output)
        } catch {
            close(own)
            close(pipeEnds[0])
            throw error
        }
        socket = own
        Self.pump(pipeEnds[0], into: order.log)
    }

    deinit { close(socket) }

    private static func failure(_ what: String) -> WorkerError {
        WorkerError(.loadFailed, "\(what) for the worker cannot be made: \(String(cString: strerror(errno)))")
    }

    /// The descriptor moved to 10 or above, closed on exec.
    private static func high(_ descriptor: Int32) -> Int32 {
        let moved = fcntl(descriptor, F_DUPFD_CLOEXEC, 10)
        close(descriptor)
        return moved
    }

    private static func writeScript(_ path: String) throws(WorkerError) {
        let file = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0o600)
        guard file >= 0 else { throw failure("the program") }
        defer { close(file) }
        let length = slipway_python_worker_length()
        guard write(file, slipway_python_worker(), length) == length else { throw failure("the program") }
    }

    private static func spawn(
        _ order: WorkerOrder, script: String, socket: Int32, output: Int32
    ) throws(WorkerError) -> pid_t {
        // A group of its own: what the model starts ends with it, and the terminal's Ctrl-C reaches the server alone.
        let program = ChildProgram(
            order.interpreter.path, [order.interpreter.path, "-B", script],
            descriptors: [.null, .copy(output), .copy(output), .copy(socket)], environment: order.environment,
            leadsGroup: true)
        do throws(ChildProgram.Failure) { return try program.start() } catch {
            throw WorkerError(.loadFailed, "the Python interpreter cannot be started: \(error)")
        }
    }

    /// Copies what the process prints into the log, on a thread that ends with the last writer.
    private static func pump(_ descriptor: Int32, into log: RotatingFile) {
        Thread.start(name: "worker-log") {
            var buffer = [UInt8](repeating: 0, count: 16 * 1024)
            while true {
                let count = buffer.withUnsafeMutableBytes { read(descriptor, $0.baseAddress, $0.count) }
                if count < 0, errno == EINTR { continue }
                guard count > 0 else { break }
                log.write(Array(buffer[..<count]))
            }
            close(descriptor)
        }
    }

    // MARK: Messages

    /// Sends a request and waits for its answer. `tick` is called a few times a second while it waits.
    ///
    /// Throws what the worker answered, `died` or `timedOut`; after the last two the process is gone.
    func ask(
        _ kind: Kind, _ payload: [UInt8], deadline: MonotonicTime, replyBytesMax: Int, tick: () -> Void
    ) throws(WorkerError) -> [UInt8] {
        var head: [UInt8] = []
        let length = UInt32(payload.count)
        for shift in [0, 8, 16, 24] as [UInt32] { head.append(UInt8(truncatingIfNeeded: length >> shift)) }
        head.append(kind.rawValue)
        try send(head, deadline, tick)
        try send(payload, deadline, tick)
        let answer = try receive(5, deadline, tick)
        let count = (0..<4).reduce(0) { $0 | Int(answer[$1]) << (8 * $1) }
        guard count <= replyBytesMax else {
            end()
            throw WorkerError(.failed, "the result is larger than \(replyBytesMax) bytes")
        }
        let body = try receive(count, deadline, tick)
        switch Kind(rawValue: answer[4]) {
        case .result: return body
        case .error: throw WorkerFault.read(body)
        default:
            end()
            throw WorkerError(.failed, "the worker's answer is not understood")
        }
    }

    private func send(_ bytes: [UInt8], _ deadline: MonotonicTime, _ tick: () -> Void) throws(WorkerError) {
        var offset = 0
        while offset < bytes.count {
            let flags = Int32(MSG_NOSIGNAL) | Int32(MSG_DONTWAIT)
            let count = bytes.withUnsafeBytes {
                Glibc.send(socket, $0.baseAddress?.advanced(by: offset), bytes.count - offset, flags)
            }
            if count > 0 {
                offset += count
            } else if errno == EAGAIN {
                try wait(Int16(POLLOUT), deadline, tick)
            } else if errno != EINTR {
                throw died()
            }
        }
    }

    private func receive(
        _ count: Int, _ deadline: MonotonicTime, _ tick: () -> Void
    ) throws(WorkerError) -> [UInt8] {
        var bytes = [UInt8](repeating: 0, count: count)
        var offset = 0
        while offset < count {
            let got = bytes.withUnsafeMutableBytes {
                recv(socket, $0.baseAddress?.advanced(by: offset), count - offset, Int32(MSG_DONTWAIT))
            }
            if got > 0 {
                offset += got
            } else if got == 0 {
                throw died()
            } else if errno == EAGAIN {
                try wait(Int16(POLLIN), deadline, tick)
            } else if errno != EINTR {
                throw died()
            }
        }
        return bytes
    }

    private func wait(_ events: Int16, _ deadline: MonotonicTime, _ tick: () -> Void) throws(WorkerError) {
        while true {
            let now = MonotonicTime.now
            guard now < deadline else {
                end()
                throw WorkerError(.timedOut, "no answer within the time allowed; the worker was ended and is replaced")
            }
            let left = min(250, (deadline.nanoseconds - now.nanoseconds) / 1_000_000 + 1)
            var watch = pollfd(fd: socket, events: events, revents: 0)
            if poll(&watch, 1, Int32(left)) > 0 { return }
            tick()
        }
    }

    // MARK: End

    private func died() -> WorkerError {
        end()
        return WorkerError(.died, "its worker process died (\(exit ?? "no status"))")
    }

    /// Closes the socket, which asks the process to end, and kills it when it has not after `milliseconds`. Idempotent.
    func end(afterMilliseconds milliseconds: UInt64 = 0) {
        guard exit == nil else { return }
        shutdown(socket, Int32(SHUT_RDWR))
        let deadline = MonotonicTime.now.advanced(milliseconds: milliseconds)
        var status: Int32 = 0
        while true {
            let ended = waitpid(processID, &status, WNOHANG)
            if ended == processID { break }
            if ended < 0, errno != EINTR {
                exit = "no status"
                return
            }
            if MonotonicTime.now >= deadline { kill(-processID, SIGKILL) }
            usleep(2_000)
        }
        // What the model started and left behind.
        kill(-processID, SIGKILL)
        let signal = status & 0x7f
        exit = signal == 0 ? "exit status \(status >> 8 & 0xff)" : "signal \(signal)"
    }
}
