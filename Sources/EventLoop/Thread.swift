import CLinux
import Glibc

/// A detached POSIX thread running one closure.
package enum Thread {
    private final class Box {
        let body: @Sendable () -> Void
        init(_ body: @escaping @Sendable () -> Void) { self.body = body }
    }

    /// Starts a thread called `name` (15 characters at most are kept). Traps when the system has no thread left.
    package static func start(name: String, _ body: @escaping @Sendable () -> Void) {
        let box = Unmanaged.passRetained(Box(body))
        var thread = pthread_t()
        let failure = pthread_create(
            &thread, nil,
            { raw in
                guard let raw else { return nil }
                let box = Unmanaged<Box>.fromOpaque(raw).takeRetainedValue()
                box.body()
                return nil
            }, box.toOpaque())
        precondition(failure == 0, "pthread_create: \(failure)")
        slipway_pthread_setname(thread, String(name.prefix(15)))
        pthread_detach(thread)
    }
}
