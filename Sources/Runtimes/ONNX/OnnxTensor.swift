import COnnxRuntime

/// Tensors in and out of ONNX Runtime's values.
enum OnnxTensor {
    /// `ONNXTensorElementDataType`.
    private static func code(_ type: TensorType) -> Int32 {
        switch type {
        case .fp32: 1
        case .uint8: 2
        case .int8: 3
        case .uint16: 4
        case .int16: 5
        case .int32: 6
        case .int64: 7
        case .bytes: 8
        case .bool: 9
        case .fp16: 10
        case .fp64: 11
        case .uint32: 12
        case .uint64: 13
        case .bf16: 16
        }
    }

    private static let byCode = Dictionary(uniqueKeysWithValues: TensorType.allCases.map { (code($0), $0) })

    /// A value over `bytes`, which must stay where they are as long as the value lives.
    static func over(
        _ bytes: UnsafeRawBufferPointer, _ tensor: Tensor, _ library: OnnxLibrary
    ) throws(RuntimeError) -> OpaquePointer? {
        let api = library.handles.api
        // The library refuses a null address even for no bytes.
        let address = UnsafeMutableRawPointer(mutating: bytes.baseAddress) ?? UnsafeMutableRawPointer(bitPattern: 64)
        var value: OpaquePointer?
        let shape = tensor.shape.map { Int64($0) }
        try OnnxLibrary.check(
            api,
            slipway_ort_tensor_over(
                api, library.handles.memory, address, bytes.count, shape, shape.count, code(tensor.type), &value),
            .inputInvalid)
        return value
    }

    /// A value with the strings of `tensor`, which are copied and may hold any byte.
    static func strings(_ tensor: Tensor, _ library: OnnxLibrary) throws(RuntimeError) -> OpaquePointer? {
        let api = library.handles.api
        let shape = tensor.shape.map { Int64($0) }
        var value: OpaquePointer?
        try OnnxLibrary.check(
            api,
            slipway_ort_tensor_create(
                api, library.handles.allocator, shape, shape.count, code(.bytes), &value), .inputInvalid)
        do throws(RuntimeError) {
            let data = tensor.data
            var index = data.startIndex
            for element in 0..<(Tensor.elementCount(tensor.shape) ?? 0) {
                guard let length = Tensor.stringLength(data, at: index) else {
                    throw RuntimeError(.inputInvalid, "BYTES elements end early")
                }
                var buffer: UnsafeMutablePointer<CChar>?
                try OnnxLibrary.check(
                    api, slipway_ort_string_buffer(api, value, element, length, &buffer), .inputInvalid)
                if length > 0, let buffer {
                    data[(index + 4)..<(index + 4 + length)].withUnsafeBytes {
                        UnsafeMutableRawBufferPointer(start: buffer, count: length).copyMemory(from: $0)
                    }
                }
                index += 4 + length
            }
        } catch {
            slipway_ort_value_release(api, value)
            throw error
        }
        return value
    }

    /// Copies a value out.
    static func read(_ value: OpaquePointer, _ library: OnnxLibrary) throws(RuntimeError) -> Tensor {
        let api = library.handles.api
        var info: OpaquePointer?
        try OnnxLibrary.check(api, slipway_ort_value_shape(api, value, &info), .failed)
        guard let info else { throw RuntimeError(.failed, "an output is not a tensor") }
        defer { slipway_ort_shape_release(api, info) }
        let (type, shape) = try describe(info, api)
        guard let type, let count = Tensor.elementCount(shape) else {
            throw RuntimeError(.failed, "an output has a type or shape that is not supported")
        }
        guard let width = type.width else {
            return Tensor(type: type, shape: shape, data: try readStrings(value, count, api)[...])
        }
        var memory: UnsafeMutableRawPointer?
        try OnnxLibrary.check(api, slipway_ort_value_bytes(api, value, &memory), .failed)
        let bytes = [UInt8](UnsafeRawBufferPointer(start: memory, count: memory == nil ? 0 : count * width))
        return Tensor(type: type, shape: shape, data: bytes[...])
    }

    private static func readStrings(_ value: OpaquePointer, _ count: Int, _ api: OpaquePointer) throws(RuntimeError)
        -> [UInt8]
    {
        guard count > 0 else { return [] }
        var length = 0
        try OnnxLibrary.check(api, slipway_ort_strings_length(api, value, &length), .failed)
        var text = [CChar](repeating: 0, count: max(length, 1))
        var offsets = [Int](repeating: 0, count: count)
        try OnnxLibrary.check(api, slipway_ort_strings_copy(api, value, &text, length, &offsets, count), .failed)
        var out: [UInt8] = []
        out.reserveCapacity(length + 4 * count)
        for element in 0..<count {
            let end = element + 1 < count ? offsets[element + 1] : length
            let size = UInt32(truncatingIfNeeded: end - offsets[element])
            for shift in [0, 8, 16, 24] as [UInt32] { out.append(UInt8(truncatingIfNeeded: size >> shift)) }
            for character in text[offsets[element]..<end] { out.append(UInt8(bitPattern: character)) }
        }
        return out
    }

    /// Element type (nil when it is none of ours) and dimensions.
    static func describe(
        _ shape: OpaquePointer, _ api: OpaquePointer
    ) throws(RuntimeError) -> (type: TensorType?, dimensions: [Int]) {
        var element: Int32 = 0
        var rank = 0
        try OnnxLibrary.check(api, slipway_ort_shape_element_type(api, shape, &element), .failed)
        try OnnxLibrary.check(api, slipway_ort_shape_rank(api, shape, &rank), .failed)
        var dimensions = [Int64](repeating: 0, count: rank)
        try OnnxLibrary.check(api, slipway_ort_shape_dimensions(api, shape, &dimensions, rank), .failed)
        return (byCode[element], dimensions.map { Int($0) })
    }
}
