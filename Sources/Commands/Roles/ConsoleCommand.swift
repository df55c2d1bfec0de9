import Console
import EventLoop

extension Command {
    /// `slipway console`: the web console.
    static let console = Command(
        name: "console", summary: "web console of every role",
        details: """
            Serves the web interface: buckets and objects, experiments, runs and registered models, served models, workflows
            and pods. People log in with the object store's root user. It talks to the other roles through their public
            protocols only and keeps nothing.
            """,
        settings: ConsoleSettings.common + ConsoleSettings.all,
        examples: [
            ("slipway console", "The console of roles on their default ports, on port 9001"),
            (
                "slipway console --store-url http://10.0.0.5:9000 --no-inference --no-tracking",
                "The console of an object store elsewhere"
            ),
        ],
        run: runConsole)
}

enum ConsoleSettings {
    static let port = Setting<Int>.port(
        "port", aliases: ["-p"], environment: ["SLIPWAY_CONSOLE_PORT"], default: 9001, help: "Port of the web console.")

    static let storeURL = url(
        "store-url", "SLIPWAY_STORE_URL", default: "http://127.0.0.1:9000",
        help: "The object store; log-ins are checked with it.")

    static let storeAuthority = Setting<String?>.optional(
        "store-authority", environment: ["SLIPWAY_STORE_AUTHORITY"], placeholder: "FILE",
        allowed: "the path of a PEM file",
        help: "Authorities to trust for an object store over TLS; the system's when unset.")

    static let publicStoreURL = Setting<String?>.optional(
        "public-store-url", environment: ["MINIO_SERVER_URL"], placeholder: "URL",
        allowed: "http://host:port or https://host:port",
        help: "The object store as people reach it, for shared links; the browser's host with its port when unset.",
        where: { $0.hasPrefix("http://") || $0.hasPrefix("https://") })

    static let trackURL = url(
        "track-url", "SLIPWAY_TRACK_URL", default: "http://127.0.0.1:5001", help: "The tracking server.")

    static let inferURL = url(
        "infer-url", "SLIPWAY_INFER_URL", default: "http://127.0.0.1:8000", help: "The inference server's HTTP port.")

    static let registryURL = Setting<String?>.optional(
        "registry-url", environment: ["SLIPWAY_REGISTRY_URL"], placeholder: "URL",
        allowed: "http://host:port or https://host:port", help: "The container registry; not shown when unset.",
        where: { $0.hasPrefix("http://") || $0.hasPrefix("https://") })

    static let kubeconfig = Setting<String?>.optional(
        "kubeconfig", environment: ["SLIPWAY_KUBECONFIG"], placeholder: "FILE", allowed: "the path of a file",
        help: "Client configuration of the cluster; kubeconfig in the data folder when unset.")

    static let region = Setting<String>.text(
        "region", environment: ["MINIO_REGION"], placeholder: "NAME", default: "us-east-1",
        help: "Region that requests to the object store are signed for.")

    static let tracking = Setting<Bool>.toggle(
        "tracking", default: true, help: "Show experiments, runs and registered models.")
    static let inference = Setting<Bool>.toggle("inference", default: true, help: "Show served models.")
    static let cluster = Setting<Bool>.toggle("cluster", default: true, help: "Show workflows and pods.")

    static let certificate = Setting<String?>.optional(
        "tls-certificate", environment: ["SLIPWAY_CONSOLE_TLS_CERTIFICATE"], placeholder: "FILE",
        allowed: "the path of a PEM file", help: "Certificate chain; with --tls-key the console is served over TLS.")

    static let privateKey = Setting<String?>.optional(
        "tls-key", environment: ["SLIPWAY_CONSOLE_TLS_KEY"], placeholder: "FILE", allowed: "the path of a PEM file",
        help: "Private key of the certificate.")

    /// The root credential is not among them: the console never knows it until somebody logs in.
    static let common = [
        CommonSettings.config.declaration, CommonSettings.data.declaration, CommonSettings.address.declaration,
        CommonSettings.logLevel.declaration,
    ]

    static let all = [
        port.declaration, storeURL.declaration, storeAuthority.declaration, publicStoreURL.declaration,
        region.declaration, trackURL.declaration,
        inferURL.declaration, registryURL.declaration, kubeconfig.declaration, tracking.declaration,
        inference.declaration, cluster.declaration, certificate.declaration, privateKey.declaration,
    ]

    private static func url(_ name: String, _ variable: String, default address: String, help: String)
        -> Setting<String>
    {
        .text(
            name, environment: [variable], placeholder: "URL", default: address,
            allowed: "http://host:port or https://host:port", help: help,
            where: { $0.hasPrefix("http://") || $0.hasPrefix("https://") })
    }
}

private func runConsole(_ invocation: Invocation) async throws -> Int32 {
    let settings = invocation.settings
    var console = ConsoleConfiguration(storeURL: settings[ConsoleSettings.storeURL])
    console.storeAuthorityPath = settings[ConsoleSettings.storeAuthority]
    console.publicStoreURL = settings[ConsoleSettings.publicStoreURL]
    console.region = settings[ConsoleSettings.region]
    if settings[ConsoleSettings.tracking] { console.trackURL = settings[ConsoleSettings.trackURL] }
    if settings[ConsoleSettings.inference] { console.inferURL = settings[ConsoleSettings.inferURL] }
    console.registryURL = settings[ConsoleSettings.registryURL]
    if settings[ConsoleSettings.cluster] {
        console.kubeconfigPath =
            settings[ConsoleSettings.kubeconfig] ?? "\(settings[CommonSettings.data])/kubeconfig"
    }
    var role = ConsoleRole(console: console)
    role.address = settings[CommonSettings.address]
    role.port = settings[ConsoleSettings.port]
    role.tls = try tls(settings)
    let configured = role
    return try await RoleRunner.run("console") {
        RunningRole(servers: [(configured.tls == nil ? "http" : "https", try configured.start())])
    }
}

private func tls(_ settings: Settings) throws(UsageError) -> TLSConfiguration? {
    switch (settings[ConsoleSettings.certificate], settings[ConsoleSettings.privateKey]) {
    case (let certificate?, let key?): return TLSConfiguration(certificatePath: certificate, privateKeyPath: key)
    case (nil, nil): return nil
    default: throw UsageError("give both --tls-certificate and --tls-key, or neither")
    }
}
