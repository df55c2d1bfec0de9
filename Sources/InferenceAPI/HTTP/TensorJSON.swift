// Tensors as JSON: nested or flat arrays of numbers, booleans or strings, in row-major order. Values go straight into the
// tensor's bytes; a number that the type cannot hold is refused, never wrapped.

import Bytes
import Formats
import Inference
import Runtimes

enum TensorJSON {
    /// Reads `value`, which must hold exactly `count` elements of `type`.
    static func read(
        _ value: JSONValue, type: TensorType, count: Int, input: String
    ) throws(InferenceError) -> [UInt8] {
        var reader = ElementReader(type: type, countMax: count, input: input)
        try reader.read(value)
        guard reader.count == count else {
            throw InferenceError(
                .invalid, "input \"\(input)\" holds \(reader.count) elements, but its shape says \(count)")
        }
        return reader.bytes
    }

    /// Writes the elements of `tensor` as a flat array. Throws `invalid` for BYTES that are not UTF-8.
    static func write(_ tensor: Tensor, to writer: inout JSONWriter, output: String) throws(InferenceError) {
        writer.beginArray()
        try writeElements(tensor.data, tensor.type, to: &writer, output: output)
        writer.endArray()
    }

    /// Writes `tensor` as arrays nested as its shape says; `depth` dimensions are written already.
    static func writeNested(
        _ tensor: Tensor, to writer: inout JSONWriter, output: String
    ) throws(InferenceError) {
        var rest = tensor.data
        try nested(tensor.shape[...], tensor.type, &rest, &writer, output)
    }

    private static func nested(
        _ shape: ArraySlice<Int>, _ type: TensorType, _ rest: inout ArraySlice<UInt8>, _ writer: inout JSONWriter,
        _ output: String
    ) throws(InferenceError) {
        guard let size = shape.first else {
            let length = type.width ?? (4 + (Tensor.stringLength(rest, at: rest.startIndex) ?? 0))
            try writeElements(rest.prefix(length), type, to: &writer, output: output)
            rest = rest.dropFirst(length)
            return
        }
        writer.beginArray()
        for _ in 0..<size { try nested(shape.dropFirst(), type, &rest, &writer, output) }
        writer.endArray()
    }

    private static func writeElements(
        _ data: ArraySlice<UInt8>, _ type: TensorType, to writer: inout JSONWriter, output: String
    ) throws(InferenceError) {
        switch type {
        case .bool: for byte in data { writer.bool(byte != 0) }
        case .uint8: for byte in data { writer.int(byte) }
        case .int8: for byte in data { writer.int(Int8(bitPattern: byte)) }
        case .uint16: data.forEachElement(UInt16.self) { writer.int($0) }
        case .int16: data.forEachElement(Int16.self) { writer.int($0) }
        case .uint32: data.forEachElement(UInt32.self) { writer.int($0) }
        case .int32: data.forEachElement(Int32.self) { writer.int($0) }
        case .uint64: data.forEachElement(UInt64.self) { writer.int($0) }
        case .int64: data.forEachElement(Int64.self) { writer.int($0) }
        case .fp16: data.forEachElement(UInt16.self) { writer.float(Float(Float16(bitPattern: $0))) }
        case .bf16: data.forEachElement(UInt16.self) { writer.float(Float(bitPattern: UInt32($0) << 16)) }
        case .fp32: data.forEachElement(UInt32.self) { writer.float(Float(bitPattern: $0)) }
        case .fp64: data.forEachElement(UInt64.self) { writer.double(Double(bitPattern: $0)) }
        case .bytes:
            var index = data.startIndex
            while index < data.endIndex, let length = Tensor.stringLength(data, at: index) {
                guard let text = String(validUTF8: data[index + 4..<index + 4 + length]) else {
                    throw InferenceError(
                        .invalid, "output \"\(output)\" holds bytes that are not UTF-8; ask for it with binary_data")
                }
                writer.string(text)
                index += 4 + length
            }
        }
    }
}

/// Collects the elements of nested arrays.
private struct ElementReader {
    let type: TensorType
    let countMax: Int
    let input: String
    var bytes: [UInt8] = []
    var count = 0

    init(type: TensorType, countMax: Int, input: String) {
        self.type = type
        self.countMax = countMax
        self.input = input
        // A shape may promise more than the body holds, so only so much is reserved on its word.
        bytes.reserveCapacity(min(countMax, 1 << 20) * (type.width ?? 16))
    }

    mutating func read(_ value: JSONValue) throws(InferenceError) {
        if value.isArray {
            return try value.forEachElement { (element: JSONValue) throws(InferenceError) in try read(element) }
        }
        guard count < countMax else {
            throw InferenceError(.invalid, "input \"\(input)\" holds more elements than its shape says (\(countMax))")
        }
        count += 1
        switch type {
        case .bool:
            if let flag = value.bool {
                bytes.append(flag ? 1 : 0)
            } else if let number = value.int, number == 0 || number == 1 {
                bytes.append(UInt8(number))
            } else {
                throw mismatch()
            }
        case .uint8: try append(value.int.flatMap { UInt8(exactly: $0) })
        case .int8: try append(value.int.flatMap { Int8(exactly: $0) })
        case .uint16: try append(value.int.flatMap { UInt16(exactly: $0) })
        case .int16: try append(value.int.flatMap { Int16(exactly: $0) })
        case .uint32: try append(value.int.flatMap { UInt32(exactly: $0) })
        case .int32: try append(value.int.flatMap { Int32(exactly: $0) })
        case .uint64: try append(value.unsigned)
        case .int64: try append(value.int)
        case .fp16: try append(Float16(try number(value, Double(Float16.greatestFiniteMagnitude))).bitPattern)
        case .bf16:
            // Round to nearest, ties to even, on the upper half of the float.
            let float = Float(try number(value, Double(Float.greatestFiniteMagnitude)))
            let bits = float.bitPattern
            try append(float.isNaN ? 0x7fc0 : UInt16(truncatingIfNeeded: (bits &+ 0x7fff &+ (bits >> 16 & 1)) >> 16))
        case .fp32: try append(Float(try number(value, Double(Float.greatestFiniteMagnitude))).bitPattern)
        case .fp64: try append(try number(value, .greatestFiniteMagnitude).bitPattern)
        case .bytes:
            guard value.isString else { throw mismatch() }
            let text = value.utf8
            try append(UInt32(truncatingIfNeeded: text.count))
            bytes.append(contentsOf: text)
        }
    }

    /// A number of at most `magnitudeMax`, or one of the three that JSON has no number for.
    private func number(_ value: JSONValue, _ magnitudeMax: Double) throws(InferenceError) -> Double {
        if let number = value.double {
            guard number.magnitude <= magnitudeMax else { throw mismatch() }
            return number
        }
        if value.equals("NaN") { return .nan }
        if value.equals("Infinity") { return .infinity }
        if value.equals("-Infinity") { return -.infinity }
        throw mismatch()
    }

    private mutating func append<Value: FixedWidthInteger>(_ value: Value?) throws(InferenceError) {
        guard let value else { throw mismatch() }
        withUnsafeBytes(of: value.littleEndian) { bytes.append(contentsOf: $0) }
    }

    private func mismatch() -> InferenceError {
        InferenceError(.invalid, "input \"\(input)\": element \(count - 1) is not a value that \(type.name) can hold")
    }
}

extension ArraySlice<UInt8> {
    /// Visits the little-endian integers that the bytes hold.
    func forEachElement<Value: FixedWidthInteger>(_ type: Value.Type, _ body: (Value) -> Void) {
        let width = MemoryLayout<Value>.size
        withUnsafeBytes { raw in
            for offset in Swift.stride(from: 0, to: raw.count - width + 1, by: width) {
                body(Value(littleEndian: raw.loadUnaligned(fromByteOffset: offset, as: Value.self)))
            }
        }
    }
}
