// The store role put together: data folder, S3 front, server, and the two chores that run beside them.

import Clock
import EventLoop
import HTTP
import Log
import Metrics
import Objects
import S3API
import Server

/// What one object store is started with.
struct StoreRole: Sendable {
    /// The data folder, made when it is missing.
    var folder: String
    /// A numeric address.
    var address = "127.0.0.1"
    var port = 9000
    var s3: S3Configuration
    /// Uploads begun longer ago are aborted.
    var uploadAgeSecondsMax: Int64 = 24 * 3600

    /// A store that serves.
    struct Running: Sendable {
        let server: Server
        let store: ObjectStore
    }

    /// Opens the folder and begins to serve. Throws `ObjectError` or `ListenError`.
    func start() async throws -> Running {
        let store = try await ObjectStore(folder: folder, pool: BlockingPool(name: "disk", threadCount: 16))
        let metrics = MetricsRegistry()
        let service = S3Service(store: store, configuration: s3, metrics: metrics)
        var configuration = ServerConfiguration(role: "store", address: address, port: port)
        configuration.metrics = metrics
        configuration.faultResponse = { S3Service.response(to: $0) }
        let server = Server(configuration: configuration, handler: service.handler)
        try server.start()
        keep(store)
        return Running(server: server, store: store)
    }

    /// Collects orphans once, and aborts abandoned uploads every hour.
    ///
    /// Detached, because it belongs to the role and to no request, and must not run on an event loop.
    private func keep(_ store: ObjectStore) {
        let log = Logger(role: "store")
        let ageSeconds = uploadAgeSecondsMax
        Task.detached(priority: .background) {
            do throws(ObjectError) {
                let count = try await store.collectOrphans()
                if count > 0 { log.info("removed files that nothing names", [("count", "\(count)")]) }
            } catch {
                log.warning("looking for files that nothing names failed", [("error", error.message)])
            }
            while true {
                do throws(ObjectError) {
                    let count = try await store.expireUploads(before: WallTime.now.advanced(seconds: -ageSeconds))
                    if count > 0 { log.info("aborted abandoned uploads", [("count", "\(count)")]) }
                } catch {
                    log.warning("aborting abandoned uploads failed", [("error", error.message)])
                }
                try? await Task.sleep(for: .seconds(3600))
            }
        }
    }
}
