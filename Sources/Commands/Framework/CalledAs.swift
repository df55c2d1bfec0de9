// The program under another name. Links named `mlflow`, `minio` and `mc` are those programs' command lines, so that compose
// files and scripts keep theirs.

import Bytes

/// Turns the words of a process into those of `slipway`.
package enum CalledAs {
    /// The words for `Program.run`, given `all` words with the program's own path first.
    ///
    /// `mlflow server ...` and `mlflow ui ...` are `slipway track ...`, on MLflow's default port 5000; `minio server ...` is
    /// `slipway store server ...`; every word of `mc` is one of `slipway mc`. `minikube` is known to be refused with the
    /// command that takes its place. `--version` prints one line, as those programs do.
    package static func arguments(_ all: [String], environment: [String: String] = Environment.current) -> [String] {
        let words = Array(all.dropFirst())
        switch all.first?.pieces(by: "/").last {
        case "mlflow": return mlflow(words, environment)
        case "minio": return words == ["--version"] ? ["version"] : ["store"] + words
        case "mc": return ["mc"] + words
        case "minikube": return [Minikube.name] + words
        default: return words
        }
    }

    private static func mlflow(_ words: [String], _ environment: [String: String]) -> [String] {
        if words == ["--version"] || words == ["version"] { return ["version", "--of", "mlflow"] }
        guard let first = words.first, first == "server" || first == "ui" else {
            // Another command of MLflow's, or none: `track` explains itself, or names the word it does not know.
            return ["track"] + (words.isEmpty ? ["--help"] : words)
        }
        let port = (environment["MLFLOW_PORT"] ?? "").isEmpty ? ["--port", "5000"] : []
        return ["track"] + port + ["server"] + words.dropFirst()
    }
}
