// What a configuration leaves open is read off the model; what it says is held against the model before it is served, so
// that a wrong name or shape shows at load time and not in a client's answer.

import Runtimes

extension WrittenConfiguration {
    /// The complete configuration for a model with these inputs and outputs.
    ///
    /// A model whose every input and output has a first dimension of any size batches along it, up to `batchSizeDefault`,
    /// unless the configuration says otherwise. Throws `InferenceError.loadFailed`.
    func completed(
        inputs: [TensorSpecification], outputs: [TensorSpecification], batchSizeDefault: Int
    ) throws(InferenceError) -> ModelConfiguration {
        var complete = configuration
        let canBatch = batchSizeDefault > 0 && !inputs.isEmpty && (inputs + outputs).allSatisfy { $0.shape.first == -1 }
        if !setsBatchSize, complete.inputs.isEmpty, complete.outputs.isEmpty, canBatch {
            complete.batchSizeMax = batchSizeDefault
        }
        complete.inputs = try Self.ports(complete, complete.inputs, inputs, "input")
        complete.outputs = try Self.ports(complete, complete.outputs, outputs, "output")
        if complete.batchSizeMax > 1, !setsBatching, !setsBatchSize { complete.dynamicBatching = .init() }
        if let batching = complete.dynamicBatching {
            if let size = batching.preferredBatchSizes.first(where: { $0 > complete.batchSizeMax }) {
                throw InferenceError(
                    .loadFailed,
                    "model \"\(complete.name)\": preferred_batch_size \(size) is over max_batch_size \(complete.batchSizeMax)"
                )
            }
        }
        return complete
    }

    /// The written ports held against the model's, or the model's own when none are written.
    private static func ports(
        _ configuration: ModelConfiguration, _ written: [ModelConfiguration.Port], _ real: [TensorSpecification],
        _ what: String
    ) throws(InferenceError) -> [ModelConfiguration.Port] {
        let batches = configuration.batchSizeMax > 0
        if batches, let fixed = real.first(where: { $0.shape.first != -1 }) {
            throw InferenceError(
                .loadFailed,
                """
                model "\(configuration.name)": max_batch_size is \(configuration.batchSizeMax), but \(what) "\(fixed.name)" \
                of the model has shape \(text(fixed.shape)), whose first dimension is not a batch; set max_batch_size: 0
                """)
        }
        guard !written.isEmpty else {
            return real.map {
                .init(name: $0.name, type: $0.type, dimensions: Array(batches ? $0.shape.dropFirst() : $0.shape[...]))
            }
        }
        for port in written {
            guard let match = real.first(where: { $0.name == port.name }) else {
                throw InferenceError(
                    .loadFailed,
                    """
                    model "\(configuration.name)": config names \(what) "\(port.name)", which the model does not have; it has \
                    \(real.map { "\"\($0.name)\"" }.joined(separator: ", "))
                    """)
            }
            let shape = configuration.fullShape(port)
            guard port.type == match.type, shape.count == match.shape.count,
                zip(shape, match.shape).allSatisfy({ $0 == -1 || $1 == -1 || $0 == $1 })
            else {
                throw InferenceError(
                    .loadFailed,
                    """
                    model "\(configuration.name)": config gives \(what) "\(port.name)" as \(port.type.name) \(text(shape)), \
                    but the model has \(match.type.name) \(text(match.shape))
                    """)
            }
        }
        if what == "input", let missing = real.first(where: { port in !written.contains { $0.name == port.name } }) {
            throw InferenceError(
                .loadFailed, "model \"\(configuration.name)\": config leaves out input \"\(missing.name)\" of the model"
            )
        }
        return written
    }
}
