// The inference role put together: runtimes, repository, and three ports. Ports open before the first models are loaded,
// so that health checks can tell "starting" from "dead".

import CVersion
import EventLoop
import Glibc
import HTTP
import Inference
import InferenceAPI
import Metrics
import Runtimes
import Server

/// What one inference server is started with.
struct InferRole: Sendable {
    struct Listen: Sendable {
        var address = "127.0.0.1"
        var port: Int
    }

    var repository: RepositoryConfiguration
    var service = InferenceConfiguration()
    var http = Listen(port: 8000)
    var grpc = Listen(port: 8001)
    var metrics = Listen(port: 8002)
    /// Ports that speak HTTP and gRPC, both.
    var more: [Listen] = []
    /// ONNX Runtime's library; nil looks in the runtime folder.
    var libraryPath: String?
    /// OpenVINO's C library; nil looks in the runtime folder.
    var openvinoPath: String?
    var runtimeFolder: String?
    var computeThreadCount = 4

    init(repository: RepositoryConfiguration) { self.repository = repository }

    /// An inference server that serves.
    struct Running: Sendable {
        let http: Server
        let grpc: Server
        let metrics: Server
        let more: [Server]
        let repository: ModelRepository
        /// Ends the background work.
        let finish: @Sendable () async -> Void
    }

    /// Begins to serve. Throws `InferenceError` for a repository location that cannot be used, or `ListenError`.
    func start() async throws -> Running {
        let folder = RuntimeFolder(explicit: runtimeFolder)
        let runtimes = ModelRuntimes(
            onnx: LibraryProvider(explicitPath: libraryPath, folder: folder),
            openvino: LibraryProvider(explicitPath: openvinoPath, folder: folder))
        let compute = BlockingPool(name: "compute", threadCount: computeThreadCount)
        let repository = try ModelRepository(configuration: self.repository, runtimes: runtimes, compute: compute)
        let registry = MetricsRegistry()
        var configuration = service
        configuration.metrics = registry
        configuration.serverVersion = String(cString: slipway_version())
        let service = InferenceService(repository: repository, configuration: configuration)
        let handler = service.handler
        let http = server("infer", self.http, registry, handler)
        let both = service.grpcHandler(fallback: handler)
        let grpc = server("infer-grpc", self.grpc, registry, both)
        let more = self.more.map { server("infer", $0, registry, both) }
        let metrics = server("infer-metrics", self.metrics, nil) { request in
            guard request.path == "/metrics" else { return Response(.notFound, text: "metrics are at /metrics\n") }
            return Response(contentType: "text/plain; version=0.0.4; charset=utf-8", registry.render())
        }
        for server in [http, grpc, metrics] + more { try server.start() }
        // Detached, because loading belongs to the role and to no request, and must not run on an event loop.
        let background = Task.detached {
            await repository.start()
            if self.repository.mode == .poll { await repository.pollForEver() }
        }
        return Running(http: http, grpc: grpc, metrics: metrics, more: more, repository: repository) {
            background.cancel()
        }
    }

    private func server(
        _ role: String, _ listen: Listen, _ registry: MetricsRegistry?, _ handler: @escaping Handler
    ) -> Server {
        var configuration = ServerConfiguration(role: role, address: listen.address, port: listen.port)
        configuration.metrics = registry
        configuration.limits.grpcMessageBytesMax = service.bodyBytesMax
        configuration.faultResponse = { InferenceService.response(to: $0) }
        return Server(configuration: configuration, handler: handler)
    }
}
