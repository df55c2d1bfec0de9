// Images of servers that this product takes the place of: the inference server's image runs `slipway infer`, and the
// workflow controller's stands for the engine in this process.

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

    /// A program that says what it stands for and waits for its end.
    static func builtInEnvironment(_ name: String, _ folders: ClusterFolders) throws -> ImageEnvironment {
        let script = """
            #!/bin/sh
            # Stand-in for argoproj/\(name).
            echo "workflows are run by slipway cluster itself; this pod stands for \(name)"
            trap 'exit 0' TERM INT
            while :; do sleep 3600 & wait $!; done

            """
        let bin = folders.images + "/built-in/bin"
        try FileTools.makeFolder(bin, mode: 0o755)
        // The names that the images' own programs have.
        let program = name == "argocli" ? "argo" : name
        try FileTools.write("\(bin)/\(program)", Array(script.utf8), mode: 0o755)
        var environment = ImageEnvironment()
        environment.path = [bin]
        environment.folders = [folders.images]
        environment.entrypoint = [program]
        return environment
    }
}
