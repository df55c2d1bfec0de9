import Glibc
import Synchronization

/// The event loops of a process, one for each core up to four.
package final class EventLoopGroup: Sendable {
    /// The group every server of the process shares. Made at first use.
    package static let shared = EventLoopGroup(count: max(1, min(4, Int(sysconf(Int32(_SC_NPROCESSORS_ONLN))))))

    package let loops: [EventLoop]

    /// Starts `count` loops. Traps when the system has no descriptors left for them: nothing could be served.
    package init(count: Int) {
        loops = (0..<count).map { index in
            do {
                return try EventLoop(name: "loop-\(index)")
            } catch {
                preconditionFailure("cannot start an event loop: \(error)")
            }
        }
    }
}
