import Clock
import EventLoop
import Glibc
import Processes

extension Command {
    /// `slipway up`: every role, supervised.
    static let up = Command(
        name: "up", summary: "every role in one go, restarted when one dies",
        details: """
            Starts the roles as child processes over one data folder, on 127.0.0.1 unless --bind says otherwise. Ctrl-C
            stops them all. The root user is made at first start and shown once, unless MINIO_ROOT_USER and
            MINIO_ROOT_PASSWORD give one.
            """,
        settings: CommonSettings.ofRole + UpSettings.all,
        examples: [
            ("slipway up", "Everything, in ./slipway-data"),
            ("slipway up --data /var/lib/slipway --store-port 9002", "Another folder, another port"),
        ],
        run: runUp)
}

enum UpSettings {
    static let storePort = Setting<Int>.port(
        "store-port", environment: ["SLIPWAY_STORE_PORT"], default: 9000, help: "Port of the object store.")
    static let trackPort = Setting<Int>.port(
        "track-port", environment: ["SLIPWAY_TRACK_PORT"], default: 5001, help: "Port of the tracking server.")
    static let inferPort = Setting<Int>.port(
        "infer-http-port", environment: ["SLIPWAY_INFER_HTTP_PORT"], default: 8000, help: "Port of inference over HTTP."
    )
    static let inferGRPCPort = Setting<Int>.port(
        "infer-grpc-port", environment: ["SLIPWAY_INFER_GRPC_PORT"], default: 8001, help: "Port of inference over gRPC."
    )
    static let inferMetricsPort = Setting<Int>.port(
        "infer-metrics-port", environment: ["SLIPWAY_INFER_METRICS_PORT"], default: 8002,
        help: "Port of inference metrics.")
    static let clusterPort = Setting<Int>.port(
        "cluster-port", environment: ["SLIPWAY_CLUSTER_PORT"], default: 6443,
        help: "Port of the Kubernetes API, over TLS.")
    static let registryPort = Setting<Int>.port(
        "registry-port", environment: ["SLIPWAY_REGISTRY_PORT"], default: 5000,
        help: "Port of the container registry.")
    static let consolePort = Setting<Int>.port(
        "console-port", environment: ["SLIPWAY_CONSOLE_PORT"], default: 9001, help: "Port of the web console.")

    static let ports = [
        storePort, trackPort, inferPort, inferGRPCPort, inferMetricsPort, clusterPort, registryPort, consolePort,
    ]
    static let all = ports.map(\.declaration)
}

private func runUp(_ invocation: Invocation) async throws -> Int32 {
    let started = MonotonicTime.now
    let settings = invocation.settings
    try Folder.make(settings[CommonSettings.data])
    let data = Folder.absolute(settings[CommonSettings.data])
    let lock = try DataFolderLock(folder: data)
    defer { withExtendedLifetime(lock) {} }
    // Before the credential is made: the start that makes it is the one that shows it.
    try checkPorts(settings)
    let root = try RootCredential.resolve(settings, folder: data)
    let plans = RolePlans.all(settings, data: data, root: root, environment: invocation.environment)
    var supervisor = try Supervisor(plans: plans)
    try supervisor.run {
        Output.line(report(plans, data: data, root: root, seconds: started.elapsedSeconds))
    }
    return 0
}

/// Looks for ports that cannot be had before anything starts, so that the message comes once and names them all.
private func checkPorts(_ settings: Settings) throws {
    var flags: [Int: String] = [:]
    for setting in UpSettings.ports {
        let (port, flag) = (settings[setting], "--\(setting.declaration.name)")
        guard port != 0 else {
            throw UsageError("\(flag) is 0: the roles tell one another their ports", hint: "Give it one that is free.")
        }
        if let other = flags.updateValue(flag, forKey: port) {
            throw UsageError("\(other) and \(flag) are both \(port)", hint: "Give each a port of its own.")
        }
    }
    let bind = settings[CommonSettings.address]
    do throws(ListenError) { _ = try Listener.bindablePort(host: bind, port: 0) } catch {
        throw RoleRunner.failure(error)
    }
    let address = ["0.0.0.0", "::"].contains(bind) ? nil : bind
    let taken = flags.keys.sorted().compactMap { port -> String? in
        guard let holder = PortHolder.find(port: port, address: address) else { return nil }
        return "port \(port) is in use by process \(holder.processID) (\(holder.command))"
    }
    guard !taken.isEmpty else { return }
    throw CommandFailure(
        taken.joined(separator: "\n         "),
        hint:
            "Stop what holds \(taken.count == 1 ? "it" : "them"), or choose other ports; `slipway up --help` lists the flags."
    )
}

private func report(_ plans: [RolePlan], data: String, root: RootCredential, seconds: Double) -> String {
    var table = TextTable(["ROLE", "ADDRESS", "SPEAKS"])
    for plan in plans {
        for (index, entry) in plan.ports.enumerated() {
            table.add(index == 0 ? plan.name : "", LocalHost.authority(plan.host, entry.port), entry.speaks)
        }
    }
    var lines = table.lines + [""]
    if root.isNew {
        lines.append(
            "root user \(root.user), password \(root.password) (shown once; kept in \(RootCredential.path(in: data)))")
    } else if root.isKept {
        lines.append("root user \(root.user), password in \(RootCredential.path(in: data))")
    }
    if let console = plans.first(where: { $0.name == "console" }), let port = console.ports.first?.port {
        lines.append("open http://\(LocalHost.authority(console.host, port)) in a browser")
    }
    if plans.contains(where: { $0.name == "cluster" }) { lines.append("export KUBECONFIG=\(data)/kubeconfig") }
    lines.append("ready after \(Int(seconds * 1000)) ms; Ctrl-C stops everything")
    return lines.joined(separator: "\n")
}
