// The cluster role put together: object store, its controllers, the Kubernetes API, TLS, the client configuration.

import Bytes
import Cluster
import Database
import EventLoop
import HTTP
import Images
import Ingress
import KubernetesAPI
import Log
import Metrics
import Processes
import Runtimes
import Server
import Serving

/// What one cluster server is started with.
struct ClusterRole: Sendable {
    /// The platform's data folder, absolute; the role uses `cluster/` in it.
    var data: String
    /// A numeric address.
    var address = "127.0.0.1"
    var port = 6443
    /// Plain HTTP without tokens.
    var isInsecure = false
    var kubeconfigPath: String
    /// Where the Python environments of images lie; nil looks in the usual places.
    var runtimeFolder: String?
    /// Folders of the host that pods may mount with `hostPath`.
    var hostPaths: [String] = []
    /// The port whose Host names choose an InferenceService; when it is taken, a free one is.
    var ingressPort = 8080
    /// Where images are pulled from and how much room they take.
    var images = ImageSettings(folder: "")
    /// The object store of models whose Secret names none.
    var storeURL = "http://127.0.0.1:9000"

    init(data: String) {
        self.data = data
        kubeconfigPath = "\(data)/kubeconfig"
    }

    /// A cluster that serves.
    struct Running: Sendable {
        let server: Server
        let ingress: Server
        let serving: Task<Void, Never>
        let objects: ResourceControllers
        let controllers: Controllers
        let database: Database

        func stop() async {
            serving.cancel()
            await controllers.shutdown()
            objects.stop()
            await database.close()
        }
    }

    /// Opens the objects, starts the controllers and begins to serve.
    func start() async throws -> Running {
        let folder = "\(data)/cluster"
        let database = try Database(path: "\(folder)/cluster.db", migrations: ResourceStore.migrations)
        let network = try ClusterNetwork.open(folder: folder, bindAddress: address)
        let store = try await ResourceStore.open(database: database, network: network)
        try await ClusterFurniture.install(in: store, version: KubernetesAPI.kubernetesVersion)
        let objects = ResourceControllers(store: store)
        var settings = ControllerSettings(dataFolder: data)
        settings.runtimeFolders = RuntimeFolder(explicit: runtimeFolder).folders(holding: "python")
        settings.hostPaths = hostPaths
        settings.images = images
        let controllers = try await Controllers.start(store: store, settings: settings)

        let token = isInsecure ? nil : try self.token(folder)
        let metrics = MetricsRegistry()
        Self.register(controllers.images, in: metrics)
        let api = KubernetesAPI(
            store: store, tokens: token.map { [($0, "slipway-admin")] } ?? [], logs: controllers.logs,
            sessions: controllers.sessions, metrics: metrics)
        var configuration = ServerConfiguration(role: "cluster", address: address, port: port)
        configuration.metrics = metrics
        // Watches never end by themselves, and the steps still need their grace period when the server stops.
        configuration.limits.drainMilliseconds = 150
        configuration.faultResponse = { KubernetesAPI.faultResponse($0) }
        let certificate = isInsecure ? nil : try certificate(folder)
        configuration.tls = certificate?.configuration
        let server = Server(configuration: configuration, handler: api.handler)
        let authority = try certificate.flatMap { try PrivateFile.read($0.authorityPath) }
        // Before the port opens: whoever sees it open finds the file.
        if port != 0 { try writeKubeconfig(port: port, authority: authority, token: token) }
        try server.start()
        if port == 0 { try writeKubeconfig(port: server.port, authority: authority, token: token) }
        let ingress = try await startIngress(store)
        let serving = ServingController(
            store: store,
            settings: ServingSettings(
                folder: ClusterFolders(data: data).serving, storeURL: storeURL,
                hasPrivateView: controllers.hasPrivateView))
        // Detached: it serves the whole process and ends with `stop`.
        let task = Task.detached { await serving.run() }
        return Running(
            server: server, ingress: ingress, serving: task, objects: objects, controllers: controllers,
            database: database)
    }

    private static func register(_ images: ImageStore, in metrics: MetricsRegistry) {
        let name = "slipway_image_pulls_total"
        metrics.collected(name, help: "Images pulled from registries, by outcome.", type: "counter") { out in
            let counts = images.statistics
            for (outcome, count) in [("done", counts.pulled), ("failed", counts.failed)] {
                out.append(MetricsRegistry.prefix(name, [("outcome", outcome)]) + "\(count)\n")
            }
        }
        let bytes = "slipway_image_pull_bytes_total"
        metrics.collected(bytes, help: "Bytes of image layers pulled.", type: "counter") { out in
            out.append("\(bytes) \(images.statistics.bytes)\n")
        }
    }

    /// Opens the ingress and makes the Services that lead to it from port 80 of an address of their own.
    private func startIngress(_ store: ResourceStore) async throws -> Server {
        let handler = IngressService(store: store).handler
        var main = ingressServer(address, ingressPort, handler)
        if let fault = Self.fault(of: main) {
            guard case .inUse = fault else { throw fault }
            let holder = PortHolder.find(port: ingressPort).map { "process \($0.processID)" } ?? "another process"
            main = ingressServer(address, 0, handler)
            try main.start()
            Logger(role: "cluster").warning(
                "the ingress listens on another port",
                [("wanted", "\(ingressPort)"), ("held by", holder), ("port", "\(main.port)")])
        }
        let shown = address == "0.0.0.0" || address == "::" ? "127.0.0.1" : address
        try await ClusterFurniture.installIngress(in: store, address: shown, port: main.port)
        return main
    }

    private func ingressServer(_ address: String, _ port: Int, _ handler: @escaping Handler) -> Server {
        var configuration = ServerConfiguration(role: "ingress", address: address, port: port)
        configuration.limits.drainMilliseconds = 150
        return Server(configuration: configuration, handler: handler)
    }

    /// Starts `server`; nil when it serves.
    private static func fault(of server: Server) -> ListenError? {
        do throws(ListenError) {
            try server.start()
            return nil
        } catch {
            return error
        }
    }

    /// A certificate for every name that a client on this machine, or on its network, may use.
    private func certificate(_ folder: String) throws -> GeneratedCertificate {
        var names = ["localhost", "127.0.0.1", "::1", "kubernetes", "kubernetes.default.svc"]
        if address != "0.0.0.0", address != "::", !names.contains(address) { names.append(address) }
        return try GeneratedCertificate.prepare(folder: "\(folder)/tls", names: names)
    }

    /// The administrator's token, made at first start.
    private func token(_ folder: String) throws -> String {
        let path = "\(folder)/admin-token"
        if let kept = try PrivateFile.read(path), let text = String(validUTF8: kept.filter { $0 > 0x20 }), !text.isEmpty
        {
            return text
        }
        let made = Base64.encodeURLSafe(Randomness.bytes(32))
        try PrivateFile.write(path, Array(made.utf8))
        return made
    }

    private func writeKubeconfig(port: Int, authority: [UInt8]?, token: String?) throws {
        let host =
            address == "0.0.0.0" || address == "::" ? "127.0.0.1" : address.contains(":") ? "[\(address)]" : address
        let kubeconfig = Kubeconfig(
            server: "\(isInsecure ? "http" : "https")://\(host):\(port)", authority: authority, token: token)
        if try PrivateFile.read(kubeconfigPath) != kubeconfig.text {
            try PrivateFile.write(kubeconfigPath, kubeconfig.text)
        }
    }
}
