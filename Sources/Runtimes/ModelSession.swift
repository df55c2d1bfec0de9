/// A loaded model of any runtime. Any number of threads may run it at once; its memory goes with the last reference.
package protocol ModelSession: Sendable {
    var inputs: [TensorSpecification] { get }
    var outputs: [TensorSpecification] { get }

    /// Computes `outputNames` from `inputs`, one for every input of the model; blocks the calling thread.
    ///
    /// Throws `RuntimeError`: `inputInvalid` when the inputs do not fit the model, else `failed`.
    func run(
        _ inputs: [(name: String, tensor: Tensor)], outputNames: [String]
    ) throws(RuntimeError) -> [Tensor]
}

extension OnnxSession: ModelSession {}
extension OpenVINOSession: ModelSession {}

/// Kinds of models, each with the runtime that runs it.
package enum ModelPlatform: Sendable, CaseIterable {
    /// An ONNX file, run by ONNX Runtime.
    case onnx
    /// A folder that TensorFlow's `tf.saved_model.save` wrote, run by OpenVINO.
    case savedModel
    /// OpenVINO's own format, or another file it reads, run by OpenVINO.
    case openvino

    /// Triton's word in `platform` of a configuration and of a model's metadata.
    package var name: String {
        switch self {
        case .onnx: "onnxruntime_onnx"
        case .savedModel: "tensorflow_savedmodel"
        case .openvino: "openvino"
        }
    }

    /// Triton's word in `backend` of a configuration.
    package var backend: String {
        switch self {
        case .onnx: "onnxruntime"
        case .savedModel: "tensorflow"
        case .openvino: "openvino"
        }
    }

    /// What a version folder holds when the configuration names no file.
    package var defaultFile: String {
        switch self {
        case .onnx: "model.onnx"
        case .savedModel: "model.savedmodel"
        case .openvino: "model.xml"
        }
    }
}

/// The native runtimes of a server; each is opened when the first model needs it.
package struct ModelRuntimes: Sendable {
    package let onnx: LibraryProvider<OnnxLibrary>
    package let openvino: LibraryProvider<OpenVINOLibrary>

    package init(onnx: LibraryProvider<OnnxLibrary>, openvino: LibraryProvider<OpenVINOLibrary>) {
        self.onnx = onnx
        self.openvino = openvino
    }

    /// Reads the model at `path`; blocks for the time the runtime optimises it. Throws `RuntimeError`: `libraryMissing`
    /// or `modelInvalid`.
    package func session(
        _ platform: ModelPlatform, path: String, options: SessionOptions
    ) throws(RuntimeError) -> any ModelSession {
        switch platform {
        case .onnx: try OnnxSession(library: try onnx.library(), path: path, options: options)
        case .savedModel:
            try OpenVINOSession(
                library: try openvino.library(), path: path, options: options,
                signature: try SavedModelSignature.read(folder: path))
        case .openvino: try OpenVINOSession(library: try openvino.library(), path: path, options: options)
        }
    }
}
