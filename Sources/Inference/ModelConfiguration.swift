package import Runtimes

/// How a model is served: `config.pbtxt`, completed from the model itself.
package struct ModelConfiguration: Sendable, Equatable {
    /// Which versions of a repository folder are loaded.
    package enum VersionPolicy: Sendable, Equatable {
        case latest(Int)
        case all
        case specific([Int])
    }

    /// Joining of requests into batches.
    package struct DynamicBatching: Sendable, Equatable {
        package var preferredBatchSizes: [Int] = []
        package var queueDelayMicrosecondsMax: UInt64 = 0
        package var preserveOrdering = false

        package init() {}
    }

    /// An input or output; the shape leaves out the batch dimension when `batchSizeMax` is over 0.
    package struct Port: Sendable, Equatable {
        package var name: String
        package var type: TensorType
        package var dimensions: [Int]
        /// Text file of class labels beside the configuration; empty for none.
        package var labelFile = ""

        package init(name: String, type: TensorType, dimensions: [Int]) {
            self.name = name
            self.type = type
            self.dimensions = dimensions
        }
    }

    package var name: String
    /// Largest size of the first dimension, which then is the batch; 0 for models that do not batch.
    package var batchSizeMax = 0
    package var inputs: [Port] = []
    package var outputs: [Port] = []
    package var versionPolicy = VersionPolicy.latest(1)
    package var dynamicBatching: DynamicBatching?
    /// Requests of one version that run at once.
    package var instanceCount = 1
    /// Requests that may wait; 0 leaves it to the server's limit.
    package var queueCountMax = 0
    /// How long a request may wait, in microseconds; 0 is for ever.
    package var queueTimeoutMicroseconds: UInt64 = 0
    package var allowsTimeoutOverride = false
    package var platform = ModelPlatform.onnx
    /// The file or folder in each version's folder; empty, until the model is loaded, for the platform's usual one.
    package var modelFile = ""
    package var session = SessionOptions()
    /// `parameters` as given, for clients that read them back.
    package var parameters: [(key: String, value: String)] = []

    package init(name: String) { self.name = name }

    package static func == (left: ModelConfiguration, right: ModelConfiguration) -> Bool {
        left.name == right.name && left.batchSizeMax == right.batchSizeMax && left.inputs == right.inputs
            && left.outputs == right.outputs && left.versionPolicy == right.versionPolicy
            && left.dynamicBatching == right.dynamicBatching && left.instanceCount == right.instanceCount
            && left.queueCountMax == right.queueCountMax && left.platform == right.platform
            && left.modelFile == right.modelFile
            && left.queueTimeoutMicroseconds == right.queueTimeoutMicroseconds && left.session == right.session
            && left.allowsTimeoutOverride == right.allowsTimeoutOverride
            && left.parameters.elementsEqual(right.parameters) { $0 == $1 }
    }

    /// The shape a client sends or gets: with -1 for the batch in front when the model batches.
    package func fullShape(_ port: Port) -> [Int] { batchSizeMax > 0 ? [-1] + port.dimensions : port.dimensions }
}
