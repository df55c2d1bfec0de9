// The console role put together. It also runs inside the store's process, where it shows objects alone.

import Console
import EventLoop
import Metrics
import Server

/// What one web console is started with.
struct ConsoleRole: Sendable {
    var console: ConsoleConfiguration
    /// A numeric address.
    var address = "127.0.0.1"
    var port = 9001
    var tls: TLSConfiguration?

    /// A console of the object store at `storeURL`, for that store's own process.
    static func ofObjects(
        storeURL: String, storeAuthorityPath: String? = nil, publicStoreURL: String? = nil,
        region: String = "us-east-1", address: String, port: Int, tls: TLSConfiguration? = nil
    ) -> ConsoleRole {
        var console = ConsoleConfiguration(storeURL: storeURL)
        console.storeAuthorityPath = storeAuthorityPath
        console.scope = .objects
        console.region = region
        console.publicStoreURL = publicStoreURL
        return ConsoleRole(console: console, address: address, port: port, tls: tls)
    }

    /// Begins to serve.
    func start() throws(ListenError) -> Server {
        var console = console
        console.port = port
        var configuration = ServerConfiguration(role: "console", address: address, port: port)
        configuration.tls = tls
        let metrics = MetricsRegistry()
        configuration.metrics = metrics
        configuration.faultResponse = { ConsoleService.response(to: $0) }
        let service = ConsoleService(configuration: console, metrics: metrics)
        let server = Server(configuration: configuration, handler: service.handler)
        try server.start()
        return server
    }
}
