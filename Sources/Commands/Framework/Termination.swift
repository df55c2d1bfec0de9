// SIGTERM and SIGINT become a value that a command awaits. The handler only writes to a pipe, the one thing a signal
// handler may do; a thread reads it. Signals are caught, not blocked, because a blocked set is inherited by the
// programs we start, and a caught one is not.

import CLinux
import EventLoop
import Glibc
import Synchronization

/// The wish that this process ends.
package enum Termination {
    /// The write end, for the handler; -1 before `install`.
    private static let pipeEnd = Atomic<Int32>(-1)

    /// Catches SIGTERM and SIGINT from now on and returns the descriptor where each arrives as one byte, its number.
    ///
    /// SIGPIPE is ignored: a peer that went away is an error of the write, not the end of the process.
    package static func install(also more: [Int32] = []) throws -> Int32 {
        var ends: [Int32] = [0, 0]
        guard slipway_pipe(&ends) == 0 else {
            throw CommandFailure("cannot make a pipe: \(String(cString: strerror(errno)))")
        }
        pipeEnd.store(ends[1], ordering: .releasing)
        for number in [SIGTERM, SIGINT] + more {
            var action = sigaction()
            action.__sigaction_handler.sa_handler = { number in
                let saved = errno
                var byte = UInt8(truncatingIfNeeded: number)
                _ = write(Termination.pipeEnd.load(ordering: .relaxed), &byte, 1)
                errno = saved
            }
            action.sa_flags = SA_RESTART
            sigaction(number, &action, nil)
        }
        signal(SIGPIPE, SIG_IGN)
        return ends[0]
    }

    /// Waits for SIGTERM or SIGINT. A second one ends the process at once with status 130.
    package static func requested() async throws {
        let descriptor = try install()
        await withUnsafeContinuation { (continuation: UnsafeContinuation<Void, Never>) in
            Thread.start(name: "signals") {
                next(descriptor)
                continuation.resume()
                next(descriptor)
                _exit(130)
            }
        }
    }

    /// Blocks until a signal has arrived.
    private static func next(_ descriptor: Int32) {
        var byte: UInt8 = 0
        while read(descriptor, &byte, 1) != 1 {
            var wait = pollfd(fd: descriptor, events: Int16(POLLIN), revents: 0)
            poll(&wait, 1, -1)
        }
    }
}
