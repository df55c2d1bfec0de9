// What a pod runs, worked out from its object and what that refers to. Pure but for look-ups, so that every refusal can
// be tested without a process.

import Formats
import Runner

/// What the server allows pods and offers them.
package struct PodSettings: Sendable {
    package var folders: ClusterFolders
    package var images: ImageTable
    /// Folders of the host that `hostPath` volumes may name, themselves or below.
    package var hostPaths: [String] = []
    /// Variables every container gets before its own, such as the addresses of the platform's other roles.
    package var environment: [(name: String, value: String)] = []

    package init(folders: ClusterFolders, images: ImageTable) {
        self.folders = folders
        self.images = images
    }
}

/// What the workflow engine asks of a pod beyond its containers. Kept in annotations, so that it survives a restart.
enum PodAnnotations {
    static let defaultContainer = "kubectl.kubernetes.io/default-container"
    /// JSON array of `{"name", "path", "tree"}`: what to keep of the main container's files when it ends.
    static let collect = "slipway.dev/collect"
    /// `true`: keep the main container's standard output as its result.
    static let result = "slipway.dev/result"
    /// JSON array of `{"path", "content" or "archive", "mode"}`: files and folders to place before the main container
    /// starts. `archive` is a key of the artifact folder.
    static let place = "slipway.dev/place"
    /// Set to end the pod's processes while the pod and its logs stay.
    static let stop = "slipway.dev/stop"
}

/// A container as the worker runs it; the folder is set for each attempt.
struct ContainerPlan: Sendable {
    let name: String
    let image: String
    let specification: StepSpecification
    let probes: ContainerProbes
}

/// What a pod gets of the cluster's network; without it, pods have the host's address and names alone.
struct PodNetworkPlan: Sendable {
    var address: String
    /// The file to show as /etc/hosts.
    var hostsFile: String
    /// Variables that name the Services of its namespace.
    var variables: [(name: String, value: String)]
}

struct PodPlan {
    let initial: [ContainerPlan]
    let containers: [ContainerPlan]
    let volumes: PodVolumes

    /// Standard output kept as a workflow step's result, as Argo's limit.
    static let resultBytesMax = 256 * 1024

    init(
        pod: Resource, references: PodReferences, settings: PodSettings, isolation: Isolation,
        network: PodNetworkPlan? = nil
    ) throws(PodFault) {
        let account = pod.spec["serviceAccountName"]?.stringValue ?? "default"
        if account != "default", references.serviceAccount(account) == nil {
            throw .waiting(
                container: "", reason: "CreateContainerConfigError",
                message: "serviceaccount \"\(account)\" not found in namespace \(pod.namespace)")
        }
        volumes = try PodVolumes(
            pod: pod, references: references, folders: settings.folders, hostPaths: settings.hostPaths)
        var initial: [ContainerPlan] = []
        for container in pod.spec["initContainers"]?.arrayValue ?? [] {
            initial.append(try Self.plan(container, pod, references, settings, volumes, isolation, network))
        }
        var containers: [ContainerPlan] = []
        for container in pod.spec["containers"]?.arrayValue ?? [] {
            containers.append(try Self.plan(container, pod, references, settings, volumes, isolation, network))
        }
        self.initial = initial
        self.containers = containers
    }

    private static func plan(
        _ container: JSON, _ pod: Resource, _ references: PodReferences, _ settings: PodSettings, _ volumes: PodVolumes,
        _ isolation: Isolation, _ network: PodNetworkPlan?
    ) throws(PodFault) -> ContainerPlan {
        let name = container["name"]?.stringValue ?? ""
        let image = container["image"]?.stringValue ?? ""
        guard let stand = settings.images.environment(of: image) else {
            throw .waiting(container: name, reason: "ImagePullBackOff", message: settings.images.refusal(of: image))
        }
        let address = network?.address ?? PodStatus.nodeAddress
        var environment = PodEnvironment(pod: pod, references: references, address: address)
        let path = stand.path + ["/usr/local/sbin", "/usr/local/bin", "/usr/sbin", "/usr/bin", "/sbin", "/bin"]
        environment.set("PATH", path.joined(separator: ":"))
        environment.set("HOSTNAME", pod.name)
        environment.set(RunContext.variable, RunContext.text(of: pod))
        environment.set("HOME", isolation.hasPrivateView ? "/root" : settings.folders.pod(pod))
        environment.set("LANG", "C.UTF-8")
        // Processes share the host's ports: what listens in a pod should do so on the pod's own address.
        environment.set("POD_IP", address)
        for (key, value) in network?.variables ?? [] { environment.set(key, value) }
        for (key, value) in settings.environment + stand.variables { environment.set(key, value) }
        if !isolation.hasPrivateView { environment.set("TMPDIR", settings.folders.pod(pod) + "/tmp") }
        try environment.add(container)

        func texts(_ key: String) -> [String]? {
            guard let values = container[key]?.arrayValue, !values.isEmpty else { return nil }
            return values.compactMap(\.stringValue).map(environment.expand)
        }
        let command = texts("command")
        let arguments = texts("args")
        let line = (command ?? stand.entrypoint) + (arguments ?? (command == nil ? stand.command : []))
        guard let program = line.first, !program.isEmpty else {
            throw .waiting(
                container: name, reason: "CreateContainerConfigError",
                message: "container \"\(name)\" names no command, and image \"\(image)\" stands for none here")
        }
        var step = StepSpecification(folder: "", arguments: line)
        step.environment = environment.variables
        step.workingDirectory = container["workingDir"]?.stringValue ?? stand.workingDirectory
        step.hostName = pod.name
        step.hidden = [settings.folders.data]
        // The image's folders come first: they may lie in what is hidden, and volumes may cover them.
        step.mounts = stand.folders.map { StepMount(source: $0, target: $0, isReadOnly: true) }
        if let network, isolation.hasPrivateView {
            step.mounts.append(StepMount(source: network.hostsFile, target: "/etc/hosts", isReadOnly: true))
        }
        let mounts = try volumes.mounts(of: container, expand: environment.expand)
        if !isolation.hasPrivateView, !mounts.isEmpty {
            throw .rejected(
                reason: "VolumesNeedNamespaces",
                message: "container \"\(name)\" mounts volumes, and this server may not make namespaces; run it as root"
            )
        }
        step.mounts += mounts
        let seconds = pod.spec["terminationGracePeriodSeconds"]?.intValue ?? 30
        step.gracePeriodMilliseconds = Int(clamping: max(0, min(seconds, 86_400))) * 1000
        let security = container["securityContext"] ?? [:]
        let podSecurity = pod.spec["securityContext"] ?? [:]
        step.user = (security["runAsUser"] ?? podSecurity["runAsUser"])?.intValue.flatMap { UInt32(exactly: $0) }
        step.group = (security["runAsGroup"] ?? podSecurity["runAsGroup"])?.intValue.flatMap { UInt32(exactly: $0) }
        if isolation != .namespaces {
            step.user = nil
            step.group = nil
        }
        if name == (pod.annotations[PodAnnotations.defaultContainer] ?? "main") {
            addWorkflowParts(pod, &step, settings.folders, isolation)
        }
        return ContainerPlan(
            name: name, image: image, specification: step, probes: try ContainerProbes(container, podAddress: address))
    }

    private static func addWorkflowParts(
        _ pod: Resource, _ step: inout StepSpecification, _ folders: ClusterFolders, _ isolation: Isolation
    ) {
        let annotations = pod.annotations
        if annotations[PodAnnotations.result] == "true" { step.resultBytesMax = resultBytesMax }
        for item in array(annotations[PodAnnotations.collect]) {
            let path = item["path"]?.stringValue ?? ""
            step.collected.append(item["tree"]?.boolValue == true ? .tree(path) : .file(path))
        }
        for (index, item) in array(annotations[PodAnnotations.place]).enumerated() {
            guard let path = item["path"]?.stringValue else { continue }
            let source = PodVolumes.placed(index, folders.pod(pod))
            step.mounts.append(StepMount(source: source, target: path))
            // Without a view of its own the step finds the file where it lies.
            if !isolation.hasPrivateView { step.arguments = step.arguments.map { $0 == path ? source : $0 } }
        }
    }

    static func array(_ text: String?) -> [JSON] {
        guard let text, let value = try? JSON.parse(Array(text.utf8)) else { return [] }
        return value.arrayValue ?? []
    }
}
