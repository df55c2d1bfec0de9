// The images every installation knows: small base images become the host's own tools, Python images its python3, and
// the names of the examples the environments that `make setup` makes under `runtime/python`.

import Bytes
import Files
import Formats
import Glibc

extension ImageTable {
    /// Names of base images for which the host's own tools stand in.
    static let hostImages = [
        "busybox", "alpine", "debian", "ubuntu", "bash", "fedora", "centos", "rockylinux", "curlimages/curl",
        "alpine/curl",
    ]
    static let pythonImages = ["python"]
    /// Images that this program stands in for: itself, the service of the model pack's document, inference servers.
    static let ownImages = [
        ("slipway", []), ("slipway/pack", ["pack"]), ("k8s_flask", ["pack"]),
    ]

    /// Writes the files that stand-ins need below `folders.images` and returns the table: rows of `images.json` first, then
    /// the environments in `runtimes` (folders that may hold `python/NAME/bin`), then the built-in names.
    package static func standard(folders: ClusterFolders, runtimes: [String]) throws -> ImageTable {
        var table = ImageTable()
        if let bytes = FileTools.read(folders.imageTable) {
            guard let file = try? JSON.parse(bytes) else {
                throw ClusterError(.badRequest, "images.json in the cluster's data folder is not valid JSON")
            }
            try table.add(file: file)
        }
        for runtime in runtimes {
            for name in FileTools.names(in: runtime + "/python").sorted() {
                let root = "\(runtime)/python/\(name)"
                guard FileTools.exists(root + "/bin/python") else { continue }
                var environment = ImageEnvironment()
                environment.path = [root + "/bin"]
                environment.folders = [runtime]
                environment.variables = [("PYTHONUNBUFFERED", "1"), ("VIRTUAL_ENV", root)]
                environment.command = ["python"]
                table.add("slipway/python-\(name)", environment)
            }
        }
        for name in hostImages {
            var environment = ImageEnvironment()
            environment.command = ["sh"]
            table.add(name, environment)
        }
        let python = try pythonEnvironment(folders)
        for name in pythonImages { table.add(name, python) }
        table.add("argoproj/argosay", try argosayEnvironment(folders))
        table.add("argoproj/argoexec", try executorEnvironment(folders))
        table.add("registry.k8s.io/kubectl", try definitionsEnvironment(folders))
        if let program = ownProgram() {
            for (image, command) in ownImages { table.add(image, own(program, command, runtimes)) }
            for server in argoServers {
                table.add("argoproj/\(server.image)", try environment(of: server, program, folders))
            }
            let server = try inferenceEnvironment(program, folders, runtimes)
            for name in inferenceImages { table.add(name, server) }
        }
        return table
    }

    /// `python` as a name for the host's `python3`, whether or not the host has that name.
    private static func pythonEnvironment(_ folders: ClusterFolders) throws -> ImageEnvironment {
        let bin = folders.images + "/python/bin"
        try FileTools.makeFolder(bin, mode: 0o755)
        for name in ["python", "python3"] {
            unlink("\(bin)/\(name)")
            if let target = hostProgram("python3") { symlink(target, "\(bin)/\(name)") }
        }
        var environment = ImageEnvironment()
        environment.path = [bin]
        environment.folders = [folders.images]
        environment.variables = [("PYTHONUNBUFFERED", "1")]
        environment.command = ["python3"]
        return environment
    }

    /// The distribution's own interpreter before one of a version manager, whose scripts need their own variables.
    private static func hostProgram(_ name: String) -> String? {
        for folder in ["/usr/bin", "/usr/local/bin", "/bin"] where access("\(folder)/\(name)", X_OK) == 0 {
            return "\(folder)/\(name)"
        }
        return nil
    }

    /// Where this program lies on the host; nil when it was removed meanwhile.
    private static func ownProgram() -> String? {
        guard let resolved = realpath("/proc/self/exe", nil) else { return nil }
        defer { free(resolved) }
        return String(cString: resolved)
    }

    static func own(_ program: String, _ command: [String], _ runtimes: [String]) -> ImageEnvironment {
        let folder = String(program.divided(atLast: "/")?.before ?? "")
        var environment = ImageEnvironment()
        environment.path = [folder]
        environment.folders = [folder] + runtimes
        environment.entrypoint = [program] + command
        // Servers listen on the address of the pod; a pod that says otherwise is heard.
        if !command.isEmpty { environment.variables.append(("SLIPWAY_BIND", "$(POD_IP)")) }
        if let runtime = runtimes.first { environment.variables.append(("SLIPWAY_RUNTIME", runtime)) }
        return environment
    }

    private static func argosayEnvironment(_ folders: ClusterFolders) throws -> ImageEnvironment {
        let bin = folders.images + "/argosay/bin"
        try FileTools.makeFolder(bin, mode: 0o755)
        try FileTools.write(bin + "/argosay", Array(argosay.utf8), mode: 0o755)
        var environment = ImageEnvironment()
        environment.path = [bin]
        environment.folders = [folders.images]
        environment.entrypoint = ["argosay"]
        environment.command = ["echo", "hello argo"]
        return environment
    }

    /// What the image of that name offers: say something, write it to a file, wait, fail, check.
    private static let argosay = """
        #!/bin/sh
        # Stand-in for the image argoproj/argosay:v2.
        set -eu
        verb="${1:-echo}"
        [ $# -gt 0 ] && shift
        case "$verb" in
        echo)
            if [ $# -ge 2 ]; then
                mkdir -p "$(dirname "$2")"
                printf '%s\\n' "$1" > "$2"
            else
                printf '%s\\n' "${1:-}"
            fi ;;
        cat) cat "$@" ;;
        sleep) sleep "${1%s}" ;;
        exit) exit "${1:-0}" ;;
        sh) exec sh "$@" ;;
        assert_contains) grep -F -- "$2" "$1" ;;
        *) echo "argosay: unknown command \\"$verb\\"; known are echo, cat, sleep, exit, sh, assert_contains" >&2; exit 1 ;;
        esac

        """
}
