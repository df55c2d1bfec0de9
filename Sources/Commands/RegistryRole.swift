// The registry role put together: an object store of its own in the data folder, the distribution API, a server.

import EventLoop
import Log
import Metrics
import Objects
import RegistryAPI
import Server

/// What one container registry is started with.
struct RegistryRole: Sendable {
    /// The data folder, made when it is missing.
    var folder: String
    /// A numeric address.
    var address = "127.0.0.1"
    var port = 5000
    var registry = RegistryConfiguration()

    /// Opens the folder and begins to serve. Throws `ObjectError` or `ListenError`.
    func start() async throws -> Server {
        let objects = try await ObjectStore(folder: folder, pool: BlockingPool(name: "disk", threadCount: 8))
        let metrics = MetricsRegistry()
        let service = RegistryService(
            store: try await RegistryStore(objects: objects), configuration: registry, metrics: metrics)
        var configuration = ServerConfiguration(role: "registry", address: address, port: port)
        configuration.metrics = metrics
        configuration.faultResponse = { RegistryService.response(to: $0) }
        let server = Server(configuration: configuration, handler: service.handler)
        try server.start()
        keep(objects, service)
        return server
    }

    /// Collects lost files once, and what no manifest names every six hours.
    ///
    /// Detached, because it belongs to the role and to no request, and must not run on an event loop.
    private func keep(_ objects: ObjectStore, _ service: RegistryService) {
        let log = Logger(role: "registry")
        Task.detached(priority: .background) {
            do throws(ObjectError) { _ = try await objects.collectOrphans() } catch {
                log.warning("looking for files that nothing names failed", [("error", error.message)])
            }
            while true {
                var isBusy = false
                do {
                    let count = try await service.collectGarbage()
                    isBusy = count == nil
                    if let count, count > 0 {
                        log.info("removed blobs that no manifest names", [("count", "\(count)")])
                    }
                } catch {
                    log.warning("looking for blobs that no manifest names failed", [("error", "\(error)")])
                }
                try? await Task.sleep(for: .seconds(isBusy ? 60 : 6 * 3600))
            }
        }
    }
}
