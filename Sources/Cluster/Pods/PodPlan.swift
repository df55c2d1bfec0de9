// What a pod runs, worked out from its object and what that refers to. Pure but for look-ups, so that every refusal can
// be tested without a process.

import Formats
import Images
import OCI
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
    /// What its status says the image is: the registry's digest of one that was pulled.
    let imageID: String
    let isPulled: Bool
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

    /// `pulled` holds the images that are not in the table, by the text that names them.
    init(
        pod: Resource, references: PodReferences, settings: PodSettings, isolation: Isolation,
        network: PodNetworkPlan? = nil, pulled: [String: PulledImage] = [:]
    ) throws(PodFault) {
        volumes = try Self.volumes(pod: pod, references: references, settings: settings)
        var initial: [ContainerPlan] = []
        for container in pod.spec["initContainers"]?.arrayValue ?? [] {
            initial.append(try Self.plan(container, pod, references, settings, volumes, isolation, network, pulled))
        }
        var containers: [ContainerPlan] = []
        for container in pod.spec["containers"]?.arrayValue ?? [] {
            containers.append(try Self.plan(container, pod, references, settings, volumes, isolation, network, pulled))
        }
        self.initial = initial
        self.containers = containers
    }

    /// What the pod as a whole needs. Throws when something of it is missing: before that, no image is worth pulling.
    static func volumes(
        pod: Resource, references: PodReferences, settings: PodSettings
    ) throws(PodFault) -> PodVolumes {
        let account = pod.spec["serviceAccountName"]?.stringValue ?? "default"
        if account != "default", references.serviceAccount(account) == nil {
            throw .waiting(
                container: "", reason: "CreateContainerConfigError",
                message: "serviceaccount \"\(account)\" not found in namespace \(pod.namespace)")
        }
        return try PodVolumes(
            pod: pod, references: references, folders: settings.folders, hostPaths: settings.hostPaths)
    }

    private static func plan(
        _ container: JSON, _ pod: Resource, _ references: PodReferences, _ settings: PodSettings, _ volumes: PodVolumes,
        _ isolation: Isolation, _ network: PodNetworkPlan?, _ pulled: [String: PulledImage]
    ) throws(PodFault) -> ContainerPlan {
        let name = container["name"]?.stringValue ?? ""
        let image = container["image"]?.stringValue ?? ""
        let ground: ContainerImage
        if let environment = settings.images.environment(of: image) {
            ground = .standIn(environment)
        } else if let found = pulled[image] {
            ground = .pulled(found)
        } else {
            throw .waiting(container: name, reason: "ImagePullBackOff", message: settings.images.refusal(of: image))
        }
        let address = network?.address ?? PodStatus.nodeAddress
        var environment = PodEnvironment(pod: pod, references: references, address: address)
        // Processes share the host's ports: what listens in a pod should do so on the pod's own address.
        environment.set("POD_IP", address)
        environment.set("HOSTNAME", pod.name)
        environment.set(RunContext.variable, RunContext.text(of: pod))
        for (key, value) in network?.variables ?? [] { environment.set(key, value) }
        var step = StepSpecification(folder: "", arguments: [])
        try place(&step, &environment, on: ground, container, pod, settings, isolation)
        try environment.add(container)

        func texts(_ key: String) -> [String]? {
            guard let values = container[key]?.arrayValue, !values.isEmpty else { return nil }
            return values.compactMap(\.stringValue).map(environment.expand)
        }
        let command = texts("command")
        let arguments = texts("args")
        let line = (command ?? ground.entrypoint) + (arguments ?? (command == nil ? ground.command : []))
        guard let program = line.first, !program.isEmpty else {
            throw .waiting(
                container: name, reason: "CreateContainerConfigError",
                message: "container \"\(name)\" names no command, and image \"\(image)\" has none")
        }
        step.arguments = line
        step.environment = environment.variables
        step.workingDirectory = container["workingDir"]?.stringValue ?? ground.workingDirectory
        step.hostName = pod.name
        let folders = step.mounts
        step.mounts = []
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
        step.mounts = Self.ordered(folders, step.mounts + mounts)
        let seconds = pod.spec["terminationGracePeriodSeconds"]?.intValue ?? 30
        step.gracePeriodMilliseconds = Int(clamping: max(0, min(seconds, 86_400))) * 1000
        if name == (pod.annotations[PodAnnotations.defaultContainer] ?? "main") {
            addWorkflowParts(pod, &step, settings.folders, isolation)
        }
        var imageID = image
        if case .pulled(let found) = ground, let reference = ImageReference(image) {
            imageID = found.identifier(of: reference)
        }
        return ContainerPlan(
            name: name, image: image, imageID: imageID, isPulled: step.image != nil, specification: step,
            probes: try ContainerProbes(container, podAddress: address))
    }

    /// The image's folders come first, so that volumes may cover parts of them. One that lies in a volume's own place,
    /// as a folder below /tmp does when a volume is mounted there, comes after it: the container runs on it.
    private static func ordered(_ folders: [StepMount], _ mounts: [StepMount]) -> [StepMount] {
        func isCovered(_ folder: StepMount) -> Bool {
            mounts.contains { folder.target.hasPrefix($0.target.hasSuffix("/") ? $0.target : $0.target + "/") }
        }
        return folders.filter { !isCovered($0) } + mounts + folders.filter(isCovered)
    }

    /// What the step is given by its image: files, variables, user.
    private static func place(
        _ step: inout StepSpecification, _ environment: inout PodEnvironment, on ground: ContainerImage,
        _ container: JSON, _ pod: Resource, _ settings: PodSettings, _ isolation: Isolation
    ) throws(PodFault) {
        switch ground {
        case .standIn(let stand):
            let path = stand.path + ["/usr/local/sbin", "/usr/local/bin", "/usr/sbin", "/usr/bin", "/sbin", "/bin"]
            environment.set("PATH", path.joined(separator: ":"))
            environment.set("HOME", isolation.hasPrivateView ? "/root" : settings.folders.pod(pod))
            environment.set("LANG", "C.UTF-8")
            for (key, value) in settings.environment { environment.set(key, value) }
            for (key, value) in stand.variables { environment.set(key, environment.expand(value)) }
            if !isolation.hasPrivateView { environment.set("TMPDIR", settings.folders.pod(pod) + "/tmp") }
            step.hidden = [settings.folders.data]
            // They may lie in what is hidden.
            step.mounts = stand.folders.map { StepMount(source: $0, target: $0, isReadOnly: true) }
            guard isolation == .namespaces else { return }
            let security = container["securityContext"] ?? [:]
            let podSecurity = pod.spec["securityContext"] ?? [:]
            step.user = (security["runAsUser"] ?? podSecurity["runAsUser"])?.intValue.flatMap { UInt32(exactly: $0) }
            step.group = (security["runAsGroup"] ?? podSecurity["runAsGroup"])?.intValue.flatMap { UInt32(exactly: $0) }
        case .pulled(let image):
            let name = container["name"]?.stringValue ?? ""
            guard isolation == .namespaces, let runtime = StepImage.findRuntime() else {
                throw .waiting(
                    container: name, reason: "CreateContainerError",
                    message: isolation == .namespaces
                        ? "runc, which runs images of registries, is not installed on this machine; install it, or map "
                            + "the image in images.json in the cluster's data folder"
                        : "images of registries run on a server that is root; start it so, or map the image in "
                            + "images.json in the cluster's data folder")
            }
            let made = try ImageContainer(image, container, pod: pod)
            for (key, value) in made.variables + settings.environment + image.configuration.environment {
                environment.set(key, value)
            }
            step.image = made.stepImage(runtime: runtime, name: "\(pod.uid)-\(name)")
            step.user = made.user.user
            step.group = made.user.group
        }
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
