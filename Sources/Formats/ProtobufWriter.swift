import Bytes

/// Writes Protocol Buffers messages. Zero, false and empty values are left out, as proto3 has it, unless the method says
/// otherwise.
package struct ProtobufWriter {
    package private(set) var bytes: [UInt8] = []

    package init(reserving capacity: Int = 64) { bytes.reserveCapacity(capacity) }

    package mutating func unsigned(_ field: Int, _ value: UInt64) {
        guard value != 0 else { return }
        tag(field, 0)
        varint(value)
    }

    package mutating func int(_ field: Int, _ value: Int64) { unsigned(field, UInt64(bitPattern: value)) }

    package mutating func bool(_ field: Int, _ value: Bool) { unsigned(field, value ? 1 : 0) }

    /// Writes the value also when it is zero: for members of a `oneof` and optional fields.
    package mutating func present(_ field: Int, _ value: UInt64) {
        tag(field, 0)
        varint(value)
    }

    package mutating func double(_ field: Int, _ value: Double) {
        guard value != 0 else { return }
        presentDouble(field, value)
    }

    package mutating func presentDouble(_ field: Int, _ value: Double) {
        tag(field, 1)
        for shift in stride(from: 0, to: 64, by: 8) {
            bytes.append(UInt8(truncatingIfNeeded: value.bitPattern >> shift))
        }
    }

    package mutating func string(_ field: Int, _ value: String) {
        guard !value.isEmpty else { return }
        presentString(field, value)
    }

    package mutating func presentString(_ field: Int, _ value: String) {
        tag(field, 2)
        varint(UInt64(value.utf8.count))
        bytes.append(value)
    }

    /// Writes the field also when it is empty: repeated elements and oneof members.
    package mutating func data(_ field: Int, _ value: some Collection<UInt8>) {
        tag(field, 2)
        varint(UInt64(value.count))
        bytes.append(contentsOf: value)
    }

    /// A nested message; written also when it is empty.
    package mutating func message(_ field: Int, _ build: (inout ProtobufWriter) -> Void) {
        var nested = ProtobufWriter()
        build(&nested)
        data(field, nested.bytes)
    }

    /// A packed repeated varint field.
    package mutating func packed(_ field: Int, _ values: [Int64]) {
        guard !values.isEmpty else { return }
        var nested = ProtobufWriter()
        for value in values { nested.varint(UInt64(bitPattern: value)) }
        data(field, nested.bytes)
    }

    private mutating func tag(_ field: Int, _ wireType: UInt64) { varint(UInt64(field) << 3 | wireType) }

    private mutating func varint(_ value: UInt64) {
        var rest = value
        while rest >= 0x80 {
            bytes.append(UInt8(truncatingIfNeeded: rest) | 0x80)
            rest >>= 7
        }
        bytes.append(UInt8(truncatingIfNeeded: rest))
    }
}
