import Bytes
import Glibc
import Synchronization

/// A log file of bounded size: when it is full it is moved to `NAME.1`, whose predecessor goes.
///
/// Writing blocks for as long as the page cache takes; what cannot be written is dropped, because a full disk must not
/// stop the service that logs to it.
package final class RotatingFile: Sendable {
    private struct State {
        var descriptor: Int32 = -1
        var size = 0
    }

    package let path: String
    private let bytesMax: Int
    private let state = Mutex(State())

    /// Appends to the file at `path`, whose folder exists; `bytesMax` is the size at which it is moved.
    package init(_ path: String, bytesMax: Int = 16 << 20) {
        self.path = path
        self.bytesMax = bytesMax
    }

    deinit { state.withLock { if $0.descriptor >= 0 { close($0.descriptor) } } }

    package func write(_ bytes: [UInt8]) {
        state.withLock { state in
            if state.descriptor >= 0, state.size + bytes.count > bytesMax {
                close(state.descriptor)
                state.descriptor = -1
                rename(path, path + ".1")
            }
            if state.descriptor < 0 {
                state.descriptor = open(path, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0o640)
                guard state.descriptor >= 0 else { return }
                state.size = Int(lseek(state.descriptor, 0, SEEK_END))
            }
            let count = bytes.withUnsafeBytes { Glibc.write(state.descriptor, $0.baseAddress, $0.count) }
            state.size += max(0, count)
        }
    }

    package func write(line: String) { write(Array(line.utf8) + [UInt8(ascii: "\n")]) }
}
