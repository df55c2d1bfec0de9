import Bytes
import Files

/// A folder or file of the host that a step sees at a path of its own.
package struct StepMount: Sendable, Equatable {
    /// Absolute path on the host.
    package var source: String
    /// Path below `source`, without a leading slash; symbolic links in it may not lead out of `source`. Made when missing.
    package var subPath: String
    /// Absolute path in the step's view; made there when missing, never on the host.
    package var target: String
    package var isReadOnly: Bool

    package init(source: String, subPath: String = "", target: String, isReadOnly: Bool = false) {
        self.source = source
        self.subPath = subPath
        self.target = target
        self.isReadOnly = isReadOnly
    }
}

/// A path whose content is kept when the step ends, before its view disappears.
package enum CollectedPath: Sendable, Equatable {
    /// A regular file of at most `StepSpecification.collectedBytesMax` bytes.
    case file(String)
    /// A file or folder, as a tar archive with the path's last part as its root.
    case tree(String)
}

/// The image that a step runs in, unpacked, and how its container is made.
package struct StepImage: Sendable, Equatable {
    /// Absolute path of the OCI runtime's program.
    package var runtime: String
    /// The container's name, and that of its control group: one on the machine.
    package var container: String
    /// Holds a folder for each layer.
    package var layerFolder: String
    /// Names in `layerFolder`, topmost first; at most `layerCountMax`.
    package var layers: [String]
    /// Groups of the user beside the first.
    package var additionalGroups: [UInt32] = []
    /// Of the bounding, permitted and effective set, such as `CAP_CHOWN`.
    package var capabilities = StepImage.standardCapabilities
    package var isReadOnly = false
    /// False: a set-uid program gains nothing.
    package var mayGainPrivileges = true

    /// The kernel takes one page of mount options: 32 digits a layer leave room for this many.
    package static let layerCountMax = 110
    /// What container engines give a container that asks for nothing.
    package static let standardCapabilities = [
        "CAP_CHOWN", "CAP_DAC_OVERRIDE", "CAP_FSETID", "CAP_FOWNER", "CAP_MKNOD", "CAP_NET_RAW", "CAP_SETGID",
        "CAP_SETUID", "CAP_SETFCAP", "CAP_SETPCAP", "CAP_NET_BIND_SERVICE", "CAP_SYS_CHROOT", "CAP_KILL",
        "CAP_AUDIT_WRITE",
    ]

    /// Where this machine has runc; nil when it is not installed.
    package static func findRuntime() -> String? {
        ["/usr/local/sbin", "/usr/local/bin", "/usr/sbin", "/usr/bin", "/sbin", "/bin"].map { $0 + "/runc" }
            .first(where: FileTools.exists)
    }

    package init(runtime: String, container: String, layerFolder: String, layers: [String]) {
        self.runtime = runtime
        self.container = container
        self.layerFolder = layerFolder
        self.layers = layers
    }
}

/// What a step runs and what it sees. Nothing in it passes through a shell.
package struct StepSpecification: Sendable {
    /// Empty folder of the step: its log, result and collected outputs. Absolute.
    package var folder: String
    /// Program and arguments; the program is looked up in the `PATH` of `environment`.
    package var arguments: [String]
    package var environment: [(name: String, value: String)] = []
    /// Made when missing. Nil is `/`.
    package var workingDirectory: String?
    package var hostName: String?
    package var mounts: [StepMount] = []
    /// Folders of the host that the step does not see.
    package var hidden: [String] = []
    package var user: UInt32?
    package var group: UInt32?
    /// Time between SIGTERM and SIGKILL when the step is stopped without another figure.
    package var gracePeriodMilliseconds = 30_000
    /// Bytes of one log file; there are at most two.
    package var logBytesMax = 10 * 1024 * 1024
    /// Bytes of standard output kept as the step's result; 0 keeps none.
    package var resultBytesMax = 0
    package var collected: [CollectedPath] = []
    package var collectedBytesMax = 1024 * 1024
    /// Nil runs on the host's own files.
    package var image: StepImage?

    package init(folder: String, arguments: [String]) {
        self.folder = folder
        self.arguments = arguments
    }

    /// Text that cannot be handed to a process because it holds a NUL byte; nil when there is none.
    package var fault: String? {
        if arguments.isEmpty || arguments[0].isEmpty { return "no command" }
        if arguments.contains(where: { $0.utf8.contains(0) }) { return "an argument contains a NUL character" }
        if let variable = environment.first(where: { $0.name.utf8.contains(0) || $0.value.utf8.contains(0) }) {
            return "environment variable \(variable.name) contains a NUL character"
        }
        if mounts.contains(where: { ($0.source + $0.subPath + $0.target).utf8.contains(0) }) {
            return "a mount path contains a NUL character"
        }
        if let image, image.layers.isEmpty || image.layers.count > StepImage.layerCountMax {
            return "an image of \(image.layers.count) layers cannot be run; it may have 1 to \(StepImage.layerCountMax)"
        }
        return nil
    }

    /// The records that the launcher reads (see `Launcher.c`): a key byte and text, ended by NUL.
    func encoded(staging: String, carried: [String]) -> [UInt8] {
        var out: [UInt8] = []
        func put(_ key: Character, _ text: String) {
            out.append(key.asciiValue ?? 0)
            out.append(text)
            out.append(0)
        }
        for argument in arguments { put("a", argument) }
        if let image {
            // The rest of the process stands in the bundle's configuration.
            put("x", image.runtime)
            put("k", image.container)
            put("F", image.layerFolder)
            for layer in image.layers { put("i", layer) }
        } else {
            for (name, value) in environment { put("e", "\(name)=\(value)") }
            put("w", workingDirectory ?? "/")
            if let user { put("u", String(user)) }
            if let group { put("g", String(group)) }
        }
        if let hostName { put("h", String(hostName.prefix(63))) }
        put("s", staging)
        for mount in mounts {
            put("b", mount.isReadOnly ? "r" : "w")
            put("o", mount.source)
            put("p", mount.subPath)
            put("t", mount.target)
        }
        for path in hidden { put("m", path) }
        for path in carried { put("v", path) }
        for path in collected {
            switch path {
            case .file(let path): put("c", "f" + path)
            case .tree(let path): put("c", "t" + path)
            }
        }
        put("G", String(gracePeriodMilliseconds))
        put("L", String(logBytesMax))
        put("R", String(resultBytesMax))
        put("C", String(collectedBytesMax))
        return out
    }
}
