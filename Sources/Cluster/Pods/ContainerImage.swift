import Formats
import Images
import OCI
import Runner

/// What a container runs on: an environment of the host that stands for its image, or the image itself.
enum ContainerImage {
    case standIn(ImageEnvironment)
    case pulled(PulledImage)

    var entrypoint: [String] {
        switch self {
        case .standIn(let environment): environment.entrypoint
        case .pulled(let image): image.configuration.entrypoint
        }
    }

    var command: [String] {
        switch self {
        case .standIn(let environment): environment.command
        case .pulled(let image): image.configuration.command
        }
    }

    var workingDirectory: String? {
        switch self {
        case .standIn(let environment): environment.workingDirectory
        case .pulled(let image): image.configuration.workingDirectory
        }
    }
}

/// A container of a pulled image as its pod's manifest wants it.
struct ImageContainer {
    private let image: PulledImage
    private let container: JSON
    private let security: JSON
    private let podSecurity: JSON
    let user: ImageUser

    /// Throws for a user that the image does not know, and for what is not carried out here.
    init(_ image: PulledImage, _ container: JSON, pod: Resource) throws(PodFault) {
        self.image = image
        self.container = container
        security = container["securityContext"] ?? [:]
        podSecurity = pod.spec["securityContext"] ?? [:]
        let name = container["name"]?.stringValue ?? ""
        guard security["privileged"]?.boolValue != true else {
            throw .rejected(
                reason: "UnsupportedSecurityContext",
                message: "container \"\(name)\": privileged is not supported here; add the capabilities that it needs")
        }
        var wanted = image.configuration.user
        if let number = (security["runAsUser"] ?? podSecurity["runAsUser"])?.intValue { wanted = "\(number)" }
        guard var user = ImageUser(wanted, in: image.user) else {
            throw .waiting(
                container: name, reason: "CreateContainerConfigError",
                message: "container \"\(name)\": the image has no user \"\(wanted)\" in its /etc/passwd")
        }
        if let group = (security["runAsGroup"] ?? podSecurity["runAsGroup"])?.intValue.flatMap({ UInt32(exactly: $0) })
        {
            user.group = group
        }
        for group in podSecurity["supplementalGroups"]?.arrayValue ?? [] {
            if let number = group.intValue.flatMap({ UInt32(exactly: $0) }) { user.additionalGroups.append(number) }
        }
        if user.user == 0, (security["runAsNonRoot"] ?? podSecurity["runAsNonRoot"])?.boolValue == true {
            throw .waiting(
                container: name, reason: "CreateContainerConfigError",
                message: "container \"\(name)\" has runAsNonRoot, and its image would run as root; set runAsUser")
        }
        self.user = user
    }

    /// Variables that the container has whatever its pod says.
    var variables: [(name: String, value: String)] {
        [("PATH", "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"), ("HOME", user.home)]
    }

    /// `name` tells the container from every other on the machine.
    func stepImage(runtime: String, name: String) -> StepImage {
        var step = StepImage(
            runtime: runtime, container: name, layerFolder: image.layerFolder, layers: image.layers)
        step.additionalGroups = user.additionalGroups
        step.isReadOnly = security["readOnlyRootFilesystem"]?.boolValue == true
        step.mayGainPrivileges = security["allowPrivilegeEscalation"]?.boolValue != false
        step.capabilities = capabilities()
        return step
    }

    private func capabilities() -> [String] {
        func names(_ key: String) -> [String] {
            (security["capabilities"]?[key]?.arrayValue ?? []).compactMap(\.stringValue).map {
                let name = $0.uppercased()
                return name.hasPrefix("CAP_") ? name : "CAP_" + name
            }
        }
        let (added, dropped) = (names("add"), names("drop"))
        var kept = added.contains("CAP_ALL") ? Self.allCapabilities : StepImage.standardCapabilities
        kept.removeAll { dropped.contains("CAP_ALL") || dropped.contains($0) }
        for name in added where Self.allCapabilities.contains(name) && !kept.contains(name) { kept.append(name) }
        return kept
    }

    /// capabilities(7), as of Linux 5.9.
    private static let allCapabilities =
        StepImage.standardCapabilities + [
            "CAP_AUDIT_CONTROL", "CAP_AUDIT_READ", "CAP_BLOCK_SUSPEND", "CAP_BPF", "CAP_CHECKPOINT_RESTORE",
            "CAP_DAC_READ_SEARCH", "CAP_IPC_LOCK", "CAP_IPC_OWNER", "CAP_LEASE", "CAP_LINUX_IMMUTABLE", "CAP_MAC_ADMIN",
            "CAP_MAC_OVERRIDE", "CAP_NET_ADMIN", "CAP_NET_BROADCAST", "CAP_PERFMON", "CAP_SYS_ADMIN", "CAP_SYS_BOOT",
            "CAP_SYS_MODULE", "CAP_SYS_NICE", "CAP_SYS_PACCT", "CAP_SYS_PTRACE", "CAP_SYS_RAWIO", "CAP_SYS_RESOURCE",
            "CAP_SYS_TIME", "CAP_SYS_TTY_CONFIG", "CAP_SYSLOG", "CAP_WAKE_ALARM",
        ]
}
