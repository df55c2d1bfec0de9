import Bytes
import COnnxRuntime

/// A model loaded into ONNX Runtime. `run` may be called from several threads at once.
///
/// `@unchecked Sendable`: sessions are documented as safe for concurrent runs, and nothing else is mutable.
package final class OnnxSession: @unchecked Sendable {
    private let runtime: OnnxRuntime
    private let session: OpaquePointer
    package let inputs: [TensorDescription]
    package let outputs: [TensorDescription]

    /// Loads the file at `path`. Each run uses `threadCount` threads. Throws `badModel`.
    package init(runtime: OnnxRuntime, path: String, threadCount: Int) throws(RuntimeError) {
        self.runtime = runtime
        var session: OpaquePointer?
        try runtime.check(
            slipway_ort_create_session(runtime.api, runtime.environment, path, Int32(threadCount), &session), .badModel)
        guard let session else { throw RuntimeError(.badModel, "the runtime made no session") }
        self.session = session
        do throws(RuntimeError) {
            var inputCount = 0
            var outputCount = 0
            try runtime.check(slipway_ort_counts(runtime.api, session, &inputCount, &outputCount), .badModel)
            inputs = try Self.describe(runtime, session, isOutput: false, count: inputCount)
            outputs = try Self.describe(runtime, session, isOutput: true, count: outputCount)
        } catch {
            slipway_ort_release_session(runtime.api, session)
            throw error
        }
    }

    deinit { slipway_ort_release_session(runtime.api, session) }

    private static let dimensionCountMax = 32

    private static func describe(
        _ runtime: OnnxRuntime, _ session: OpaquePointer, isOutput: Bool, count: Int
    ) throws(RuntimeError) -> [TensorDescription] {
        var descriptions: [TensorDescription] = []
        for index in 0..<count {
            var rawName: UnsafeMutablePointer<CChar>?
            var elementType: Int32 = 0
            var dimensions = [Int64](repeating: 0, count: dimensionCountMax)
            var dimensionCount = 0
            try runtime.check(
                slipway_ort_describe(
                    runtime.api, session, isOutput ? 1 : 0, index, &rawName, &elementType, &dimensions, dimensions.count,
                    &dimensionCount), .badModel)
            let name = rawName.map { String(cString: $0) } ?? ""
            slipway_ort_free(runtime.api, rawName)
            guard let type = TensorType(onnx: elementType) else {
                throw RuntimeError(
                    .badModel, "\(isOutput ? "output" : "input") \"\(name)\" is not a tensor of a type served here")
            }
            descriptions.append(TensorDescription(
                name: name, type: type, shape: dimensions.prefix(dimensionCount).map { $0 < 0 ? -1 : Int($0) }))
        }
        return descriptions
    }

    /// Runs the model and returns the outputs called `outputNames`, in that order. Blocks; call it on a compute thread.
    package func run(_ inputs: [(name: String, tensor: Tensor)], outputNames: [String]) throws(RuntimeError) -> [Tensor] {
        var arguments = OnnxArguments(runtime: runtime)
        defer { arguments.release() }
        for (name, tensor) in inputs { try arguments.add(name, tensor) }
        let outputs = outputNames.map { CText($0) }
        let outputPointers = outputs.map { UnsafePointer<CChar>?($0.pointer) }
        var results = [OpaquePointer?](repeating: nil, count: outputNames.count)
        let status = withExtendedLifetime(outputs) {
            slipway_ort_run(
                runtime.api, session, arguments.names, arguments.values, arguments.values.count, outputPointers,
                outputPointers.count, &results)
        }
        defer { for case let result? in results { slipway_ort_release_value(runtime.api, result) } }
        try runtime.check(status, .badInput)
        var tensors: [Tensor] = []
        for case let result? in results { tensors.append(try tensor(of: result)) }
        return tensors
    }

    private func tensor(of value: OpaquePointer) throws(RuntimeError) -> Tensor {
        var elementType: Int32 = 0
        var dimensions = [Int64](repeating: 0, count: Self.dimensionCountMax)
        var dimensionCount = 0
        var elementCount = 0
        try runtime.check(
            slipway_ort_tensor_info(
                runtime.api, value, &elementType, &dimensions, dimensions.count, &dimensionCount, &elementCount), .failed)
        guard let type = TensorType(onnx: elementType) else {
            throw RuntimeError(.failed, "an output has a type that is not served here")
        }
        let shape = dimensions.prefix(dimensionCount).map { Int($0) }
        guard let width = type.byteCount else {
            return Tensor(type: type, shape: shape, storage: .strings(try strings(of: value, count: elementCount)))
        }
        var raw: UnsafeMutableRawPointer?
        try runtime.check(slipway_ort_tensor_bytes(runtime.api, value, &raw), .failed)
        let bytes = [UInt8](UnsafeRawBufferPointer(start: raw, count: elementCount * width))
        return Tensor(type: type, shape: shape, storage: .fixed(bytes))
    }

    private func strings(of value: OpaquePointer, count: Int) throws(RuntimeError) -> [[UInt8]] {
        guard count > 0 else { return [] }
        var byteCount = 0
        try runtime.check(slipway_ort_strings_length(runtime.api, value, &byteCount), .failed)
        var content = [CChar](repeating: 0, count: max(1, byteCount))
        var offsets = [Int](repeating: 0, count: count)
        try runtime.check(
            slipway_ort_strings_content(runtime.api, value, &content, byteCount, &offsets, count), .failed)
        offsets.append(byteCount)
        return (0..<count).map { index in
            content[offsets[index]..<offsets[index + 1]].map { UInt8(bitPattern: $0) }
        }
    }
}

/// The inputs of one run: names, values and the memory they point into.
private struct OnnxArguments {
    private let runtime: OnnxRuntime
    private var texts: [CText] = []
    private var memory: [UnsafeMutableRawBufferPointer] = []
    private(set) var names: [UnsafePointer<CChar>?] = []
    private(set) var values: [OpaquePointer?] = []

    init(runtime: OnnxRuntime) { self.runtime = runtime }

    mutating func add(_ name: String, _ tensor: Tensor) throws(RuntimeError) {
        let dimensions = tensor.shape.map { Int64($0) }
        var value: OpaquePointer?
        switch tensor.storage {
        case .fixed(let bytes):
            // The runtime reads in place and may need alignment, so the bytes get memory of their own for the run.
            let copy = UnsafeMutableRawBufferPointer.allocate(byteCount: max(1, bytes.count), alignment: 64)
            copy.copyBytes(from: bytes)
            memory.append(copy)
            try runtime.check(
                slipway_ort_create_tensor(
                    runtime.api, copy.baseAddress, bytes.count, dimensions, dimensions.count, tensor.type.onnx, &value),
                .badInput)
        case .strings(let strings):
            guard !strings.contains(where: { $0.contains(0) }) else {
                throw RuntimeError(.badInput, "input \"\(name)\" holds a string with a NUL byte, which ONNX Runtime cuts")
            }
            let elements = strings.map { CText(String(utf8: $0)) }
            let pointers = elements.map { UnsafePointer<CChar>?($0.pointer) }
            let status = withExtendedLifetime(elements) {
                slipway_ort_create_strings(
                    runtime.api, pointers, pointers.count, dimensions, dimensions.count, &value)
            }
            try runtime.check(status, .badInput)
        }
        let text = CText(name)
        texts.append(text)
        names.append(UnsafePointer(text.pointer))
        values.append(value)
    }

    mutating func release() {
        for case let value? in values { slipway_ort_release_value(runtime.api, value) }
        for buffer in memory { buffer.deallocate() }
        values = []
        memory = []
    }
}

/// A NUL-terminated copy of a string, for as long as the object lives.
private final class CText {
    let pointer: UnsafeMutablePointer<CChar>

    init(_ text: String) {
        let bytes = text.utf8CString
        pointer = .allocate(capacity: bytes.count)
        for (index, byte) in bytes.enumerated() { pointer[index] = byte }
    }

    deinit { pointer.deallocate() }
}

extension TensorType {
    /// ONNX's `TensorProto.DataType` number.
    var onnx: Int32 {
        switch self {
        case .float32: 1
        case .uint8: 2
        case .int8: 3
        case .uint16: 4
        case .int16: 5
        case .int32: 6
        case .int64: 7
        case .bytes: 8
        case .bool: 9
        case .float16: 10
        case .float64: 11
        case .uint32: 12
        case .uint64: 13
        case .bfloat16: 16
        }
    }

    init?(onnx: Int32) {
        guard let type = Self.allCases.first(where: { $0.onnx == onnx }) else { return nil }
        self = type
    }
}
