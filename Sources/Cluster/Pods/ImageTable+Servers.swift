// Images of servers that this product takes the place of: the inference server's image runs `slipway infer`, those of
// Argo's chart stand for the engine in this process.

import Files
import Formats

extension ImageTable {
    /// Images of Triton.
    static let inferenceImages = ["nvcr.io/nvidia/tritonserver", "tritonserver", "slipway/infer"]

    /// `tritonserver` as a name for `slipway infer`, bound to the pod's own address.
    static func inferenceEnvironment(
        _ program: String, _ folders: ClusterFolders, _ runtimes: [String]
    ) throws -> ImageEnvironment {
        let script = """
            #!/bin/sh
            # Stand-in for Triton's program: the same flags, the same ports, on the address of the pod.
            exec '\(program)' infer --bind "${POD_IP:-127.0.0.1}" --data /tmp/slipway "$@"

            """
        let bin = folders.images + "/tritonserver/bin"
        try FileTools.makeFolder(bin, mode: 0o755)
        try FileTools.write(bin + "/tritonserver", Array(script.utf8), mode: 0o755)
        // With arguments alone it is `slipway infer`; a manifest that names Triton's program finds it on the PATH.
        var environment = own(program, ["infer"], runtimes)
        environment.path.insert(bin, at: 0)
        environment.folders.append(folders.images)
        return environment
    }

    /// Servers of Argo's chart, whose work the engine in this process does: the program that each image has, and what
    /// the chart's probes ask.
    static let argoServers = [
        (image: "workflow-controller", program: "workflow-controller", port: 6060, path: "/healthz"),
        (image: "argocli", program: "argo", port: 2746, path: "/"),
    ]

    /// `slipway stand-in` under the name of the image's own program; its flags mean nothing here.
    static func environment(
        of server: (image: String, program: String, port: Int, path: String), _ program: String,
        _ folders: ClusterFolders
    ) throws -> ImageEnvironment {
        let script = """
            #!/bin/sh
            # Stand-in for argoproj/\(server.image): answers its probes.
            exec '\(program)' stand-in \(server.image) \(server.port) \(server.path)

            """
        var environment = own(program, [], [])
        let bin = try standIn(server.program, script, folders)
        environment.path.insert(bin, at: 0)
        environment.folders.append(folders.images)
        environment.entrypoint = [server.program]
        return environment
    }

    /// A program that says what it stands for and waits for its end.
    static func executorEnvironment(_ folders: ClusterFolders) throws -> ImageEnvironment {
        let script = """
            #!/bin/sh
            # Stand-in for argoproj/argoexec.
            echo "workflows are run by slipway cluster itself; this pod stands for argoexec"
            trap 'exit 0' TERM INT
            while :; do sleep 3600 & wait $!; done

            """
        return environment("argoexec", at: try standIn("argoexec", script, folders), folders)
    }

    /// `kubectl` in a pod, with which charts install definitions. Pods hold no token of this server, and Argo's
    /// definitions are built in: applying those says so and goes well, anything else fails and says why.
    static func definitionsEnvironment(_ folders: ClusterFolders) throws -> ImageEnvironment {
        let script = """
            #!/bin/sh
            # Stand-in for registry.k8s.io/kubectl.
            set -f
            refuse() {
                echo "kubectl: $1; pods hold no token of this cluster, so run it outside of it" >&2
                exit 1
            }
            [ "${1:-}" = apply ] || refuse "in a pod it only answers apply of Argo's definitions"
            count=0
            while [ $# -gt 0 ]; do
                case $1 in
                -f | --filename) [ $# -gt 1 ] && shift; place=$1 ;;
                -f=* | --filename=*) place=${1#*=} ;;
                *) place= ;;
                esac
                shift
                [ -n "$place" ] || continue
                count=$((count + 1))
                names=${place##*/}
                [ ! -d "$place" ] || names=$(ls "$place")
                for name in $names; do
                    case $name in
                    argoproj.io_*.yaml) ;;
                    *) refuse "$place holds no definition of argoproj.io" ;;
                    esac
                    name=${name#argoproj.io_}
                    name=${name%.yaml}.argoproj.io
                    echo "customresourcedefinition.apiextensions.k8s.io/$name is built in: nothing applied"
                done
            done
            [ $count -gt 0 ] || refuse "apply names no file"

            """
        return environment("kubectl", at: try standIn("kubectl", script, folders), folders)
    }

    private static func environment(_ program: String, at bin: String, _ folders: ClusterFolders) -> ImageEnvironment {
        var environment = ImageEnvironment()
        environment.path = [bin]
        environment.folders = [folders.images]
        environment.entrypoint = [program]
        return environment
    }

    /// Writes a program in a folder of its own and returns the folder.
    private static func standIn(_ program: String, _ script: String, _ folders: ClusterFolders) throws -> String {
        let bin = "\(folders.images)/\(program)/bin"
        try FileTools.makeFolder(bin, mode: 0o755)
        try FileTools.write("\(bin)/\(program)", Array(script.utf8), mode: 0o755)
        return bin
    }
}
