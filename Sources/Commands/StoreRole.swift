// The store role put together: data folder, S3 front, server, and the two chores that run beside them.

import Clock
import Console
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
    /// For the port of S3 and the console; nil serves plain text.
    var tls: TLSConfiguration?
    /// Where a console of this store listens; nil opens none.
    var console: HostAndPort?
    /// Where people reach that console, when not at the host by which they came.
    var consoleURL: String?
    /// True sends browsers that open the S3 port to the console.
    var redirectsBrowsers = true
    /// Uploads begun longer ago are aborted.
    var uploadAgeSecondsMax: Int64 = 24 * 3600

    /// A store that serves.
    struct Running: Sendable {
        let server: Server
        let store: ObjectStore
        let console: Server?
    }

    /// Opens the folder and begins to serve. Throws `ObjectError` or `ListenError`.
    func start() async throws -> Running {
        let store = try await ObjectStore(folder: folder, pool: BlockingPool(name: "disk", threadCount: 16))
        let metrics = MetricsRegistry()
        let service = S3Service(store: store, configuration: s3, metrics: metrics)
        var configuration = ServerConfiguration(role: "store", address: address, port: port)
        configuration.metrics = metrics
        configuration.tls = tls
        configuration.faultResponse = { S3Service.response(to: $0) }
        let redirect = BrowserRedirect()
        let server = Server(configuration: configuration, handler: redirect.handler(inFrontOf: service.handler))
        try server.start()
        let console = try startConsole(of: server, service)
        if let console, redirectsBrowsers {
            redirect.point(to: consoleURL, port: console.port, isTLS: console.configuration.tls != nil)
        }
        keep(store)
        return Running(server: server, store: store, console: console)
    }

    /// The console inside this process: it reaches the store through its port, as every client does. A store that speaks
    /// TLS opens a plain port for it on loopback, since its certificate need not name this machine as the console would.
    private func startConsole(of server: Server, _ service: S3Service) throws(ListenError) -> Server? {
        guard let console else { return nil }
        var reached = server
        if tls != nil {
            var inner = server.configuration
            inner.address = "127.0.0.1"
            inner.port = 0
            inner.tls = nil
            reached = Server(configuration: inner, handler: service.handler)
            try reached.start()
        }
        let host = LocalHost.reaching(reached.configuration.address)
        return try ConsoleRole.ofObjects(
            storeURL: "http://\(LocalHost.authority(host, reached.port))",
            publicStoreURL: tls == nil ? nil : "https://localhost:\(server.port)", region: s3.region ?? "us-east-1",
            address: console.host ?? address, port: console.port, tls: tls
        ).start()
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
