// The Protocol Buffers wire format (protobuf.dev/programming-guides/encoding), read field by field without generated
// code. A nested message is a range of the same bytes, so nothing is copied until a value is asked for.

import Bytes

/// Why bytes are not a message.
package enum ProtobufError: Error, Equatable {
    case truncated
    case varintTooLong
    case badFieldNumber
    case groupNotSupported
    case wrongWireType(field: Int)
    case notUTF8(field: Int)

    package var message: String {
        switch self {
        case .truncated: "the Protobuf message ends early"
        case .varintTooLong: "a Protobuf varint is longer than 10 bytes"
        case .badFieldNumber: "a Protobuf field number is out of range"
        case .groupNotSupported: "Protobuf groups are not supported"
        case .wrongWireType(let field): "Protobuf field \(field) has the wrong wire type"
        case .notUTF8(let field): "Protobuf field \(field) is not UTF-8"
        }
    }
}

/// Reads the fields of one message in the order they stand.
///
///     while let field = try reader.next() {
///         switch field.number { case 1: name = try field.string() default: break }
///     }
package struct ProtobufReader {
    private let bytes: ArraySlice<UInt8>
    private var index: Int

    package init(_ bytes: [UInt8]) { self.init(bytes[...]) }

    package init(_ bytes: ArraySlice<UInt8>) {
        self.bytes = bytes
        index = bytes.startIndex
    }

    /// The next field, or nil at the end. Values that a caller does not ask for are skipped.
    package mutating func next() throws(ProtobufError) -> ProtobufField? {
        guard index < bytes.endIndex else { return nil }
        let tag = try varint()
        let number = Int(truncatingIfNeeded: tag >> 3)
        guard tag >> 3 > 0, tag >> 3 < 1 << 29 else { throw .badFieldNumber }
        switch tag & 7 {
        case 0: return ProtobufField(number: number, payload: .varint(try varint()))
        case 1: return ProtobufField(number: number, payload: .fixed64(try fixed(8)))
        case 2:
            let length = try varint()
            guard length <= UInt64(bytes.endIndex - index) else { throw .truncated }
            let range = bytes[index..<index + Int(length)]
            index += Int(length)
            return ProtobufField(number: number, payload: .bytes(range))
        case 5: return ProtobufField(number: number, payload: .fixed32(UInt32(truncatingIfNeeded: try fixed(4))))
        default: throw .groupNotSupported
        }
    }

    /// A bare varint: for packed fields.
    package mutating func nextVarint() throws(ProtobufError) -> UInt64? {
        index < bytes.endIndex ? try varint() : nil
    }

    private mutating func varint() throws(ProtobufError) -> UInt64 {
        var value: UInt64 = 0
        var shift: UInt64 = 0
        while true {
            guard index < bytes.endIndex else { throw .truncated }
            guard shift < 70 else { throw .varintTooLong }
            let byte = bytes[index]
            index += 1
            value |= UInt64(byte & 0x7f) << shift
            if byte < 0x80 { return value }
            shift += 7
        }
    }

    private mutating func fixed(_ count: Int) throws(ProtobufError) -> UInt64 {
        guard bytes.endIndex - index >= count else { throw .truncated }
        var value: UInt64 = 0
        for offset in 0..<count { value |= UInt64(bytes[index + offset]) << UInt64(offset * 8) }
        index += count
        return value
    }
}

/// One field of a message.
package struct ProtobufField {
    fileprivate enum Payload {
        case varint(UInt64)
        case fixed64(UInt64)
        case fixed32(UInt32)
        case bytes(ArraySlice<UInt8>)
    }

    package let number: Int
    fileprivate let payload: Payload

    package func unsigned() throws(ProtobufError) -> UInt64 {
        guard case .varint(let value) = payload else { throw .wrongWireType(field: number) }
        return value
    }

    /// `int32`, `int64` and enums: two's complement, not zigzag.
    package func int() throws(ProtobufError) -> Int64 { Int64(bitPattern: try unsigned()) }

    package func bool() throws(ProtobufError) -> Bool { try unsigned() != 0 }

    package func double() throws(ProtobufError) -> Double {
        guard case .fixed64(let value) = payload else { throw .wrongWireType(field: number) }
        return Double(bitPattern: value)
    }

    package func float() throws(ProtobufError) -> Float {
        guard case .fixed32(let value) = payload else { throw .wrongWireType(field: number) }
        return Float(bitPattern: value)
    }

    /// The bytes of a `bytes` field or of a nested message.
    package func bytes() throws(ProtobufError) -> ArraySlice<UInt8> {
        guard case .bytes(let value) = payload else { throw .wrongWireType(field: number) }
        return value
    }

    package func string() throws(ProtobufError) -> String {
        guard let text = String(validUTF8: try bytes()) else { throw .notUTF8(field: number) }
        return text
    }

    package func message() throws(ProtobufError) -> ProtobufReader { ProtobufReader(try bytes()) }

    /// Appends the values of a repeated varint field, packed or not.
    package func appendVarints(to values: inout [UInt64]) throws(ProtobufError) {
        switch payload {
        case .varint(let value): values.append(value)
        case .bytes(let packed):
            var reader = ProtobufReader(packed)
            while let value = try reader.nextVarint() { values.append(value) }
        default: throw .wrongWireType(field: number)
        }
    }

    /// The little-endian bytes of a repeated `float`, `double` or fixed-width field, packed or not.
    package func fixedWidthBytes(_ width: Int) throws(ProtobufError) -> [UInt8] {
        switch payload {
        case .bytes(let packed):
            guard packed.count.isMultiple(of: width) else { throw .truncated }
            return Array(packed)
        case .fixed32(let value) where width == 4: return (0..<4).map { UInt8(truncatingIfNeeded: value >> ($0 * 8)) }
        case .fixed64(let value) where width == 8: return (0..<8).map { UInt8(truncatingIfNeeded: value >> ($0 * 8)) }
        default: throw .wrongWireType(field: number)
        }
    }
}
