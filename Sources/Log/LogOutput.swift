// Where lines go: standard error, without ever waiting for it. A terminal or a file takes them at once. A pipe whose
// reader has stopped reading does not; from then on lines gather here, up to a bound, and a thread of their own waits.

import Bytes
import Glibc
import Synchronization

/// The process's standard error as its loops may use it.
package enum LogOutput {
    private struct Backlog {
        var bytes: [UInt8] = []
        var droppedLineCount = 0
        /// True while the thread has something to write.
        var isThreadBusy = false
        var isThreadStarted = false
    }

    /// Bytes kept for a reader that does not read; lines beyond it are dropped and counted.
    static let backlogBytesMax = 1 << 20
    /// What a pipe that is ready takes without blocking (POSIX `PIPE_BUF`).
    private static let pieceBytesMax = 4096

    private static let backlog = Mutex(Backlog())
    private static let wakeUp = WakeUp()

    /// Writes whole lines.
    package static func write(_ lines: [UInt8]) {
        backlog.withLock { backlog in
            guard !backlog.isThreadBusy else { return keep(lines[...], in: &backlog) }
            var rest = lines[...]
            while !rest.isEmpty {
                guard isReady() else { return keep(rest, in: &backlog) }
                rest = rest.dropFirst(writeNow(piece(of: rest)))
            }
        }
    }

    /// Waits until everything has been written, for at most `milliseconds`: before the process ends.
    package static func drain(milliseconds: Int = 500) {
        var left = milliseconds
        while left > 0, backlog.withLock({ $0.isThreadBusy }) {
            usleep(5000)
            left -= 5
        }
    }

    private static func keep(_ lines: ArraySlice<UInt8>, in backlog: inout Backlog) {
        guard backlog.bytes.count + lines.count <= backlogBytesMax else {
            backlog.droppedLineCount += lines.count { $0 == UInt8(ascii: "\n") }
            return
        }
        backlog.bytes += lines
        backlog.isThreadBusy = true
        if !backlog.isThreadStarted {
            backlog.isThreadStarted = startThread()
        }
        wakeUp.signal()
    }

    /// True when a write of a piece will not block; always for files.
    private static func isReady() -> Bool {
        var output = pollfd(fd: STDERR_FILENO, events: Int16(POLLOUT), revents: 0)
        return poll(&output, 1, 0) > 0
    }

    /// Blocks if the output is not ready. Returns how much was written; all of it when the output has gone.
    private static func writeNow(_ bytes: ArraySlice<UInt8>) -> Int {
        while true {
            let count = bytes.withUnsafeBytes { Glibc.write(STDERR_FILENO, $0.baseAddress, $0.count) }
            if count > 0 { return count }
            if count < 0, errno == EINTR || errno == EAGAIN {
                var output = pollfd(fd: STDERR_FILENO, events: Int16(POLLOUT), revents: 0)
                poll(&output, 1, -1)
                continue
            }
            return bytes.count
        }
    }

    /// As many whole lines as a ready pipe takes, so that lines of several processes on one pipe do not tear.
    private static func piece(of bytes: ArraySlice<UInt8>) -> ArraySlice<UInt8> {
        let piece = bytes.prefix(pieceBytesMax)
        guard piece.count < bytes.count, let end = piece.lastIndex(of: UInt8(ascii: "\n")) else { return piece }
        return bytes[...end]
    }

    // MARK: The thread

    private static func startThread() -> Bool {
        var thread = pthread_t()
        let failure = pthread_create(
            &thread, nil,
            { _ in
                LogOutput.run()
                return nil
            }, nil)
        if failure == 0 { pthread_detach(thread) }
        return failure == 0
    }

    private static func run() {
        while true {
            wakeUp.wait()
            while let bytes = next() {
                var rest = bytes[...]
                while !rest.isEmpty { rest = rest.dropFirst(writeNow(piece(of: rest))) }
            }
        }
    }

    private static func next() -> [UInt8]? {
        backlog.withLock { backlog in
            if backlog.bytes.isEmpty, backlog.droppedLineCount == 0 {
                backlog.isThreadBusy = false
                return nil
            }
            defer {
                backlog.bytes = []
                backlog.droppedLineCount = 0
            }
            guard backlog.droppedLineCount > 0 else { return backlog.bytes }
            return backlog.bytes + Array("log: \(backlog.droppedLineCount) lines dropped: nobody read them\n".utf8)
        }
    }
}

/// A counting semaphore for the thread above, which waits in it for as long as the process lives.
private final class WakeUp: @unchecked Sendable {
    // POSIX allows every thread to call sem_post and sem_wait.
    private let raw = UnsafeMutablePointer<sem_t>.allocate(capacity: 1)

    init() { sem_init(raw, 0, 0) }

    func signal() { sem_post(raw) }
    func wait() { while sem_wait(raw) == -1 && errno == EINTR {} }
}
