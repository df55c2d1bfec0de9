import Bytes

/// Writes JSON text straight into bytes; commas and colons are its business.
///
/// Doubles that JSON cannot hold are written as the strings `"NaN"`, `"Infinity"` and `"-Infinity"`, as proto3's
/// JSON mapping has it.
package struct JSONWriter {
    package private(set) var bytes: [UInt8] = []
    private let indented: Bool
    private var depth = 0
    /// True when the next value is the first of its container or follows a key.
    private var fresh = true

    package init(indented: Bool = false, reserving capacity: Int = 256) {
        self.indented = indented
        bytes.reserveCapacity(capacity)
    }

    package mutating func beginObject() { open(UInt8(ascii: "{")) }
    package mutating func endObject() { close(UInt8(ascii: "}")) }
    package mutating func beginArray() { open(UInt8(ascii: "[")) }
    package mutating func endArray() { close(UInt8(ascii: "]")) }

    package mutating func key(_ name: String) {
        separate()
        quote(name)
        bytes.append(UInt8(ascii: ":"))
        if indented { bytes.append(UInt8(ascii: " ")) }
        fresh = true
    }

    package mutating func string(_ value: String) {
        separateValue()
        quote(value)
    }

    package mutating func int(_ value: some BinaryInteger) {
        separateValue()
        bytes.append(decimal: value)
    }

    package mutating func double(_ value: Double) {
        separateValue()
        if value.isNaN {
            bytes.append("\"NaN\"")
        } else if value.isInfinite {
            bytes.append(value < 0 ? "\"-Infinity\"" : "\"Infinity\"")
        } else {
            bytes.append(value.description)
        }
    }

    package mutating func float(_ value: Float) {
        separateValue()
        if value.isFinite { bytes.append(value.description) } else { bytes.append(value.isNaN ? "\"NaN\"" : value < 0 ? "\"-Infinity\"" : "\"Infinity\"") }
    }

    package mutating func bool(_ value: Bool) {
        separateValue()
        if value { bytes.append("true") } else { bytes.append("false") }
    }

    package mutating func null() {
        separateValue()
        bytes.append("null")
    }

    /// Text that is JSON already.
    package mutating func raw(_ json: [UInt8]) {
        separateValue()
        bytes.append(contentsOf: json)
    }

    package mutating func value(_ value: JSON) {
        switch value {
        case .null: null()
        case .bool(let flag): bool(flag)
        case .int(let number): int(number)
        case .unsigned(let number): int(number)
        case .double(let number): double(number)
        case .string(let text): string(text)
        case .array(let elements):
            beginArray()
            for element in elements { self.value(element) }
            endArray()
        case .object(let members):
            beginObject()
            for (key, member) in members {
                self.key(key)
                self.value(member)
            }
            endObject()
        }
    }

    private mutating func open(_ bracket: UInt8) {
        separateValue()
        bytes.append(bracket)
        depth += 1
        fresh = true
    }

    private mutating func close(_ bracket: UInt8) {
        depth -= 1
        if indented, !fresh { newline() }
        bytes.append(bracket)
        fresh = false
    }

    /// Called before a value: after a key nothing stands between, else as for a key.
    private mutating func separateValue() {
        if let last = bytes.last(where: { $0 != UInt8(ascii: " ") }), last == UInt8(ascii: ":"), fresh {
            fresh = false
        } else if depth > 0 {
            separate()
        }
        fresh = false
    }

    private mutating func separate() {
        if !fresh { bytes.append(UInt8(ascii: ",")) }
        if indented { newline() }
        fresh = false
    }

    private mutating func newline() {
        bytes.append(UInt8(ascii: "\n"))
        for _ in 0..<depth { bytes.append("  ") }
    }

    private mutating func quote(_ text: String) {
        bytes.append(UInt8(ascii: "\""))
        for byte in text.utf8 {
            switch byte {
            case UInt8(ascii: "\""): bytes.append("\\\"")
            case UInt8(ascii: "\\"): bytes.append("\\\\")
            case UInt8(ascii: "\n"): bytes.append("\\n")
            case UInt8(ascii: "\r"): bytes.append("\\r")
            case UInt8(ascii: "\t"): bytes.append("\\t")
            case 0..<0x20:
                bytes.append("\\u00")
                bytes.append(Hex.digits[Int(byte >> 4)])
                bytes.append(Hex.digits[Int(byte & 15)])
            default: bytes.append(byte)
            }
        }
        bytes.append(UInt8(ascii: "\""))
    }
}
