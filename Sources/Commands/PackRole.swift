// The pack role put together: the local folder, the pack, its logs, and one port. The port opens before the model of the
// last start is loaded, so that health checks can tell "starting" from "dead".

import EventLoop
import HTTP
import Log
import Metrics
import PackAPI
import Packs
import Server

/// What one pack server is started with.
struct PackRole: Sendable {
    let configuration: PackConfiguration
    var address = "127.0.0.1"
    var port = 8000
    var bodyBytesMax = 64 << 20

    init(configuration: PackConfiguration) { self.configuration = configuration }

    /// Begins to serve. Throws `PackError` for a folder that cannot be used, or `ListenError`.
    func start(_ pool: BlockingPool) async throws -> (server: Server, finish: @Sendable () async -> Void) {
        let folder = try PackFolder(configuration.folder, layout: configuration.layout)
        // The names are those of the document's logs folder.
        let pack = Pack(
            configuration: configuration, folder: folder, pool: pool,
            events: RotatingFile("\(folder.logs)/my.log"),
            output: RotatingFile("\(folder.logs)/gunicorn_error.log"))
        let registry = MetricsRegistry()
        var service = PackService.Configuration()
        service.bodyBytesMax = bodyBytesMax
        service.metrics = registry
        service.accessLog = RotatingFile("\(folder.logs)/gunicorn_access.log")
        let handler = PackService(pack: pack, configuration: service).handler
        var listener = ServerConfiguration(role: "pack", address: address, port: port)
        listener.metrics = registry
        listener.faultResponse = { PackService.response(to: $0) }
        let server = Server(configuration: listener, handler: handler)
        try server.start()
        // Detached, because loading belongs to the role and to no request, and must not run on an event loop.
        let loading = Task.detached { await pack.start() }
        return (server, { await Self.finish(pack, loading) })
    }

    private static func finish(_ pack: Pack, _ loading: Task<Void, Never>) async {
        loading.cancel()
        await pack.stop()
    }
}
