import Bytes
import Cluster
import Database
import EventLoop
import Images
import KubernetesAPI
import Metrics
import Server

extension Command {
    /// `slipway cluster`: Kubernetes-compatible API and workflows.
    static let cluster = Command(
        name: "cluster", summary: "Kubernetes-compatible API, workflows and pods (kubectl)",
        details: """
            Serves the Kubernetes API over TLS and runs Argo Workflows and pods as local processes. At first start it
            makes a certificate authority and a token, and writes them into `kubeconfig` in the data folder:
            export KUBECONFIG=./slipway-data/kubeconfig
            """,
        settings: CommonSettings.ofRole + ClusterSettings.all,
        examples: [
            ("slipway cluster", "TLS on port 6443, files in ./slipway-data/cluster"),
            (
                "slipway cluster --port 0 --insecure",
                "Plain HTTP without tokens on a free port of this machine, for tests"
            ),
        ],
        run: runCluster)
}

enum ClusterSettings {
    static let port = Setting<Int>.port(
        "port", environment: ["SLIPWAY_CLUSTER_PORT"], default: 6443, help: "Port of the Kubernetes API.")

    static let insecure = Setting<Bool>.toggle(
        "insecure", environment: ["SLIPWAY_CLUSTER_INSECURE"], default: false,
        help: "Plain HTTP, and everybody is the administrator; only on a loopback address.")

    static let kubeconfig = Setting<String?>.optional(
        "kubeconfig", environment: ["SLIPWAY_KUBECONFIG"], placeholder: "FILE", allowed: "the path of a file",
        help: "Where to write the client configuration; kubeconfig in the data folder when unset.")

    static let hostPaths = Setting<String?>.optional(
        "host-paths", environment: ["SLIPWAY_HOST_PATHS"], placeholder: "FOLDERS",
        allowed: "absolute paths of folders, separated by commas",
        help: "Folders of this machine that pods may mount as hostPath volumes; none when unset.")

    static let ingressPort = Setting<Int>.port(
        "ingress-port", environment: ["SLIPWAY_INGRESS_PORT"], default: 8080,
        help: "Port of the ingress of InferenceServices; a free one when it is taken.")

    static let registry = Setting<String>.text(
        "registry", environment: ["SLIPWAY_REGISTRY"], placeholder: "HOST:PORT", default: "localhost:5000",
        help: "Where images are looked for whose name has no registry.")

    static let insecureRegistries = Setting<String?>.optional(
        "insecure-registries", environment: ["SLIPWAY_INSECURE_REGISTRIES"], placeholder: "HOSTS",
        allowed: "hosts with their ports, separated by commas",
        help: "Registries to pull from over plain HTTP, beside those on this machine.")

    static let imageSpace = Setting<Int>.bytes(
        "image-space", environment: ["SLIPWAY_IMAGE_SPACE"], default: 20 << 30, range: (64 << 20)...(1 << 50),
        help: "Room for pulled images; over it, those that were used least lately and run in no pod go.")

    static let all = [
        port.declaration, insecure.declaration, kubeconfig.declaration, hostPaths.declaration,
        registry.declaration, insecureRegistries.declaration, imageSpace.declaration,
        CommonSettings.runtime.declaration, ingressPort.declaration, ObjectStoreSettings.endpoint.declaration,
    ]
}

private func runCluster(_ invocation: Invocation) async throws -> Int32 {
    let settings = invocation.settings
    try Folder.make("\(settings[CommonSettings.data])/cluster")
    let data = Folder.absolute(settings[CommonSettings.data])
    var role = ClusterRole(data: data)
    role.address = settings[CommonSettings.address]
    role.port = settings[ClusterSettings.port]
    role.isInsecure = settings[ClusterSettings.insecure]
    role.kubeconfigPath = settings[ClusterSettings.kubeconfig] ?? "\(data)/kubeconfig"
    role.runtimeFolder = settings[CommonSettings.runtime]
    role.ingressPort = settings[ClusterSettings.ingressPort]
    if let url = settings[ObjectStoreSettings.endpoint] { role.storeURL = url }
    let registry = settings[ClusterSettings.registry]
    role.images.registry = registry
    if let user = settings[CommonSettings.rootUser], let password = settings[CommonSettings.rootPassword] {
        role.images.credential = RegistryCredential(host: registry, user: user, password: password)
    }
    role.images.insecureRegistries = Set(
        (settings[ClusterSettings.insecureRegistries] ?? "").pieces(by: ",").map(String.init))
    role.images.bytesMax = Int64(settings[ClusterSettings.imageSpace])
    role.hostPaths = (settings[ClusterSettings.hostPaths] ?? "").pieces(by: ",").map(String.init)
    guard !role.isInsecure || role.address == "127.0.0.1" || role.address == "::1" else {
        throw UsageError("--insecure listens on a loopback address only, not on \(role.address)")
    }
    return try await RoleRunner.run("cluster") {
        let running = try await role.start()
        return RunningRole(servers: [
            (role.isInsecure ? "http" : "https", running.server), ("ingress", running.ingress),
        ]) {
            await running.stop()
        }
    }
}
