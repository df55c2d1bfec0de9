package import PythonWorkers

/// What one pack is served with.
package struct PackConfiguration: Sendable {
    package var layout: PackLayout
    package var type: PackType
    /// The local folder that holds `NAME/src` and `NAME/model`, and `logs`.
    package var folder: String
    /// Where downloads come from; nil refuses them.
    package var storage: (any PackStorage)?
    package var interpreter: PythonInterpreter
    /// True has pip install a pack's requirements beside it before each load.
    package var installsRequirements = false
    package var workerCount = 1
    package var limits = PackLimits()
    /// The environment that workers may see of.
    package var environment: [String: String] = [:]

    package init(layout: PackLayout, type: PackType, folder: String, interpreter: PythonInterpreter) {
        self.layout = layout
        self.type = type
        self.folder = folder
        self.interpreter = interpreter
    }

    /// The variables a worker gets: what programs need to run, and nothing that could be a credential.
    var workerEnvironment: [String: String] {
        let names = [
            "PATH", "HOME", "LANG", "TZ", "TMPDIR", "LD_LIBRARY_PATH", "CUDA_VISIBLE_DEVICES", "OMP_NUM_THREADS",
        ]
        var variables = environment.filter {
            names.contains($0.key) || $0.key.hasPrefix("LC_") || $0.key.hasPrefix("TF_") || $0.key.hasPrefix("PIP_")
        }
        variables["PYTHONUNBUFFERED"] = "1"
        variables["PYTHONUTF8"] = "1"
        variables["MODEL_NAME"] = layout.name
        variables["MODEL_TYPE"] = type.rawValue
        if variables["TF_CPP_MIN_LOG_LEVEL"] == nil { variables["TF_CPP_MIN_LOG_LEVEL"] = "2" }
        return variables
    }
}
