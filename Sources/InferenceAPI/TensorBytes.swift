import Inference
import Runtimes

/// Checks of tensors that arrive as bytes.
enum TensorBytes {
    /// Reads a shape and its number of elements. Throws `invalid` for a negative dimension or a product that overflows.
    static func elementCount(_ shape: [Int], input: String) throws(InferenceError) -> Int {
        guard shape.count <= 64, let count = Tensor.elementCount(shape), count <= 1 << 40 else {
            throw InferenceError(
                .invalid,
                "input \"\(input)\": its shape has a negative dimension, too many of them, or too many elements")
        }
        return count
    }

    /// The tensor that `data` holds. Throws `invalid` when the length does not fit type and shape.
    static func tensor(
        _ type: TensorType, _ shape: [Int], _ data: ArraySlice<UInt8>, input: String
    ) throws(InferenceError) -> Tensor {
        let count = try elementCount(shape, input: input)
        if let width = type.width {
            guard data.count == count * width else {
                throw InferenceError(
                    .invalid,
                    "input \"\(input)\" has \(data.count) bytes; \(type.name) \(shape) needs \(count * width)")
            }
        } else {
            guard Tensor.stringCount(data) == count else {
                throw InferenceError(
                    .invalid,
                    "input \"\(input)\": its bytes are not \(count) strings, each behind its length in 4 bytes")
            }
        }
        return Tensor(type: type, shape: shape, data: data)
    }
}
