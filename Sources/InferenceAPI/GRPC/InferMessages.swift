// ModelInferRequest and ModelInferResponse of the V2 protocol's grpc_service.proto, field by field. Field numbers stand
// where they are read and written.

import Bytes
import Formats
import Inference
import Runtimes

/// A ModelInferRequest that was read whole.
struct InferGRPCRequest {
    var model = ""
    var version = ""
    var id = ""
    var request = InferenceRequest(inputs: [])
    /// Empty asks for all.
    var outputs: [RequestedOutput] = []
    /// True when the request carries raw bytes; answers always do.
    private var raw: [ArraySlice<UInt8>] = []
    private var heads: [InputHead] = []

    private struct InputHead {
        var name = ""
        var type = ""
        var shape: [Int] = []
        var contents: ProtobufReader?
    }

    /// Throws `InferenceError.invalid` or `unsupported`, naming what is wrong.
    init(_ message: [UInt8]) throws(InferenceError) {
        do throws(ProtobufError) {
            try decode(message)
        } catch {
            throw InferenceError(.invalid, "the request is not readable: \(error.message)")
        }
        if let name = unsupportedSharedMemory {
            throw InferenceError(.unsupported, "\"\(name)\": shared memory is not supported; send the tensor's bytes")
        }
        try makeInputs()
        request.outputNames = outputs.map(\.name)
    }

    private var unsupportedSharedMemory: String?

    private mutating func decode(_ message: [UInt8]) throws(ProtobufError) {
        var reader = ProtobufReader(message)
        while let field = try reader.next() {
            switch field.number {
            case 1: model = try field.string()
            case 2: version = try field.string()
            case 3: id = try field.string()
            case 4:
                let (key, value) = try InferParameter.entry(try field.message())
                if key == "timeout" { request.timeoutMicroseconds = value.unsigned ?? 0 }
            case 5: heads.append(try input(try field.message()))
            case 6: outputs.append(try output(try field.message()))
            case 7: raw.append(try field.bytes())
            default: break
            }
        }
    }

    private mutating func input(_ message: ProtobufReader) throws(ProtobufError) -> InputHead {
        var reader = message
        var head = InputHead()
        while let field = try reader.next() {
            switch field.number {
            case 1: head.name = try field.string()
            case 2: head.type = try field.string()
            case 3:
                var values: [UInt64] = []
                try field.appendVarints(to: &values)
                head.shape += values.map { Int(Int64(bitPattern: $0)) }
            case 4:
                if try InferParameter.entry(try field.message()).key == "shared_memory_region" {
                    unsupportedSharedMemory = head.name
                }
            case 5: head.contents = try field.message()
            default: break
            }
        }
        return head
    }

    private mutating func output(_ message: ProtobufReader) throws(ProtobufError) -> RequestedOutput {
        var reader = message
        var name = ""
        var classes = 0
        while let field = try reader.next() {
            switch field.number {
            case 1: name = try field.string()
            case 2:
                let (key, value) = try InferParameter.entry(try field.message())
                if key == "shared_memory_region" { unsupportedSharedMemory = name }
                if key == "classification" { classes = Int(clamping: min(value.unsigned ?? 0, 1_000_000)) }
            default: break
            }
        }
        return RequestedOutput(name: name, isBinary: true, classCount: classes)
    }

    /// Pairs the inputs with their bytes: all raw, in order, or all typed.
    private mutating func makeInputs() throws(InferenceError) {
        guard raw.isEmpty || raw.count == heads.count else {
            throw InferenceError(
                .invalid,
                "raw_input_contents has \(raw.count) entries for \(heads.count) inputs; give one for each or none")
        }
        for (index, head) in heads.enumerated() {
            guard let type = TensorType(name: head.type) else {
                throw InferenceError(.invalid, "input \"\(head.name)\" has the unknown datatype \"\(head.type)\"")
            }
            let data: ArraySlice<UInt8>
            if raw.isEmpty {
                let count = try TensorBytes.elementCount(head.shape, input: head.name)
                do throws(ProtobufError) {
                    data = try TypedContents.bytes(head.contents, type, count: count)[...]
                } catch {
                    throw InferenceError(
                        .invalid, "input \"\(head.name)\": its contents do not fit \(type.name): \(error.message)")
                }
            } else {
                guard head.contents == nil else {
                    throw InferenceError(.invalid, "input \"\(head.name)\" has both contents and raw_input_contents")
                }
                data = raw[index]
            }
            request.inputs.append((head.name, try TensorBytes.tensor(type, head.shape, data, input: head.name)))
        }
    }
}

/// InferTensorContents: a repeated field for each kind of element.
enum TypedContents {
    /// The little-endian bytes of the elements of `type`. Throws `truncated` for a value that the type cannot hold.
    static func bytes(
        _ contents: ProtobufReader?, _ type: TensorType, count: Int
    ) throws(ProtobufError) -> [UInt8] {
        guard var reader = contents else { return [] }
        var bytes: [UInt8] = []
        bytes.reserveCapacity(min(count, 1 << 20) * (type.width ?? 16))
        let wanted = fieldNumber(type)
        while let field = try reader.next() {
            guard field.number == wanted else { throw .wrongWireType(field: field.number) }
            switch type {
            case .fp32: bytes += try field.fixedWidthBytes(4)
            case .fp64: bytes += try field.fixedWidthBytes(8)
            case .bytes:
                let element = try field.bytes()
                append(UInt32(truncatingIfNeeded: element.count), &bytes)
                bytes.append(contentsOf: element)
            default:
                var values: [UInt64] = []
                try field.appendVarints(to: &values)
                for value in values { try append(value, type, &bytes) }
            }
        }
        return bytes
    }

    private static func fieldNumber(_ type: TensorType) -> Int {
        switch type {
        case .bool: 1
        case .int8, .int16, .int32: 2
        case .int64: 3
        case .uint8, .uint16, .uint32: 4
        case .uint64: 5
        case .fp32: 6
        case .fp64: 7
        case .bytes: 8
        // Have no field of their own: raw_input_contents carries them.
        case .fp16, .bf16: -1
        }
    }

    private static func append(_ value: UInt64, _ type: TensorType, _ bytes: inout [UInt8]) throws(ProtobufError) {
        let signed = Int64(bitPattern: value)
        switch type {
        case .bool: bytes.append(value == 0 ? 0 : 1)
        case .int8: try checked(Int8(exactly: signed), &bytes)
        case .int16: try checked(Int16(exactly: signed), &bytes)
        case .int32: try checked(Int32(exactly: signed), &bytes)
        case .int64: append(signed, &bytes)
        case .uint8: try checked(UInt8(exactly: value), &bytes)
        case .uint16: try checked(UInt16(exactly: value), &bytes)
        case .uint32: try checked(UInt32(exactly: value), &bytes)
        default: append(value, &bytes)
        }
    }

    private static func checked(_ value: (some FixedWidthInteger)?, _ bytes: inout [UInt8]) throws(ProtobufError) {
        guard let value else { throw .truncated }
        append(value, &bytes)
    }

    private static func append(_ value: some FixedWidthInteger, _ bytes: inout [UInt8]) {
        withUnsafeBytes(of: value.littleEndian) { bytes.append(contentsOf: $0) }
    }
}

/// InferParameter and ModelRepositoryParameter: a oneof whose first three members are the same.
struct InferParameter {
    var bool: Bool?
    var unsigned: UInt64?
    var text: String?

    /// Reads an entry of a map from names to parameters.
    static func entry(_ message: ProtobufReader) throws(ProtobufError) -> (key: String, value: InferParameter) {
        var reader = message
        var key = ""
        var value = InferParameter()
        while let field = try reader.next() {
            if field.number == 1 { key = try field.string() }
            guard field.number == 2 else { continue }
            var inner = try field.message()
            while let member = try inner.next() {
                switch member.number {
                case 1: value.bool = try member.bool()
                case 2, 5: value.unsigned = UInt64(exactly: try member.int())
                case 3: value.text = try member.string()
                default: break
                }
            }
        }
        return (key, value)
    }
}

/// Writes a ModelInferResponse; outputs go as raw bytes.
enum InferGRPCResponse {
    static func write(
        _ response: InferenceResponse, to request: InferGRPCRequest, from model: ModelVersion
    ) throws(InferenceError) -> [UInt8] {
        let size = response.outputs.reduce(256) { $0 + $1.tensor.data.count + 128 }
        var writer = ProtobufWriter(reserving: size)
        writer.string(1, model.configuration.name)
        writer.string(2, "\(model.number)")
        writer.string(3, request.id)
        var raw: [ArraySlice<UInt8>] = []
        for (index, (name, value)) in response.outputs.enumerated() {
            let classes = index < request.outputs.count && request.outputs[index].classCount > 0
            let tensor = classes ? try Classification.classes(value, request.outputs[index], model) : value
            writer.message(5) { output in
                output.string(1, name)
                output.string(2, tensor.type.name)
                output.packed(3, tensor.shape.map { Int64($0) })
            }
            raw.append(tensor.data)
        }
        for data in raw { writer.data(6, data) }
        return writer.bytes
    }
}
