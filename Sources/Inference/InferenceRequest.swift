package import Runtimes

/// A request to run a model. Tensors are well-formed: their bytes match their shapes.
package struct InferenceRequest: Sendable {
    package var inputs: [(name: String, tensor: Tensor)]
    /// Names of the outputs to compute; empty asks for all, in the model's order.
    package var outputNames: [String]
    /// How long the request may wait, in microseconds; 0 leaves it to the model's configuration.
    package var timeoutMicroseconds: UInt64 = 0

    package init(inputs: [(name: String, tensor: Tensor)], outputNames: [String] = []) {
        self.inputs = inputs
        self.outputNames = outputNames
    }
}

/// What a model answered.
package struct InferenceResponse: Sendable {
    package let outputs: [(name: String, tensor: Tensor)]
}

/// How a shape is written in messages: `[-1,784]`.
func text(_ shape: [Int]) -> String { "[\(shape.map(String.init).joined(separator: ","))]" }
