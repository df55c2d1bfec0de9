// A server is a listener, one worker for each event loop, and a handler. A connection is accepted on the first loop,
// given to the worker with the fewest, and stays there: one task reads a request, runs the handler, writes the answer.

package import EventLoop
package import HTTP
import Synchronization

/// Serves one port.
package final class Server: Sendable {
    package let configuration: ServerConfiguration
    private let service: Service
    private let workers: [Worker]
    private let listener = Mutex<Listener?>(nil)

    package init(configuration: ServerConfiguration, group: EventLoopGroup = .shared, handler: @escaping Handler) {
        self.configuration = configuration
        let service = Service(configuration: configuration, handler: handler)
        self.service = service
        workers = group.loops.map { Worker(loop: $0, service: service) }
    }

    /// Binds the port and begins to serve.
    package func start() throws(ListenError) {
        let workers = workers
        let tls = try makeTLSContext()
        let holder = ListenerHolder()
        let listener = try Listener(
            host: configuration.address, port: configuration.port, loop: workers[0].loop,
            connectionCountMax: configuration.limits.connectionCountMax
        ) { descriptor in
            let lightest = workers.min { $0.connectionCount < $1.connectionCount } ?? workers[0]
            lightest.adopt(descriptor, tls: tls) { holder.listener?.connectionEnded() }
        }
        holder.listener = listener
        self.listener.withLock { $0 = listener }
        listener.start()
    }

    private func makeTLSContext() throws(ListenError) -> TLSContext? {
        guard let files = configuration.tls else { return nil }
        do throws(TLSError) {
            return try TLSContext(files)
        } catch {
            throw .certificate(error)
        }
    }

    /// The bound port; 0 before `start()`.
    package var port: Int { listener.withLock { $0?.port ?? 0 } }

    /// Stops accepting, lets requests in flight end for `limits.drainMilliseconds`, or for `drainMillisecondsMax` if that is
    /// less, then cancels and closes the rest.
    package func shutdown(drainMillisecondsMax: UInt64 = .max) async {
        listener.withLock { $0 }?.stop()
        for worker in workers { worker.drain() }
        await wait(milliseconds: min(configuration.limits.drainMilliseconds, drainMillisecondsMax))
        for worker in workers { worker.abort() }
        await wait(milliseconds: 500)
    }

    private func wait(milliseconds: UInt64) async {
        var left = Int64(milliseconds)
        while left > 0, workers.contains(where: { $0.connectionCount > 0 }) {
            try? await Task.sleep(nanoseconds: 5_000_000)
            left -= 5
        }
    }

    /// Lets the accept closure, made before the listener, reach it. Set once before accepting begins.
    private final class ListenerHolder: @unchecked Sendable {
        var listener: Listener?
    }
}
