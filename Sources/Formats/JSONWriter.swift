import Bytes

/// Writes JSON text straight into bytes; commas and colons are its business.
///
/// Doubles that JSON cannot hold are written as the strings `"NaN"`, `"Infinity"` and `"-Infinity"`, as proto3's
/// JSON mapping has it.
package struct JSONWriter {
    package private(set) var bytes: [UInt8] = []
    private let indented: Bool
    private var depth = 0
    /// True when nothing has been written in the present container.
    private var isFirst = true
    /// True when a key was written and its value is next.
    private var followsKey = false

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
        followsKey = true
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
        if value.isFinite {
            bytes.append(value.description)
        } else {
            bytes.append(value.isNaN ? "\"NaN\"" : value < 0 ? "\"-Infinity\"" : "\"Infinity\"")
        }
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
        isFirst = true
    }

    private mutating func close(_ bracket: UInt8) {
        depth -= 1
        if indented, !isFirst { newline() }
        bytes.append(bracket)
        isFirst = false
    }

    /// Called before a value: nothing stands between it and its key.
    private mutating func separateValue() {
        if followsKey {
            followsKey = false
        } else if depth > 0 {
            separate()
        }
    }

    private mutating func separate() {
        if !isFirst { bytes.append(UInt8(ascii: ",")) }
        if indented { newline() }
        isFirst = false
    }

    private mutating func newline() {
        bytes.append(UInt8(ascii: "\n"))
        for _ in 0..<depth { bytes.append("  ") }
    }

    /// Runs of bytes that need no escape are appended at once.
    private mutating func quote(_ text: String) {
        bytes.append(UInt8(ascii: "\""))
        var text = text
        text.withUTF8 { utf8 in
            var start = 0
            for index in utf8.indices {
                let byte = utf8[index]
                guard byte < 0x20 || byte == UInt8(ascii: "\"") || byte == UInt8(ascii: "\\") else { continue }
                bytes.append(contentsOf: utf8[start..<index])
                start = index + 1
                escape(byte)
            }
            bytes.append(contentsOf: utf8[start...])
        }
        bytes.append(UInt8(ascii: "\""))
    }

    private mutating func escape(_ byte: UInt8) {
        bytes.append(UInt8(ascii: "\\"))
        switch byte {
        case UInt8(ascii: "\n"): bytes.append(UInt8(ascii: "n"))
        case UInt8(ascii: "\r"): bytes.append(UInt8(ascii: "r"))
        case UInt8(ascii: "\t"): bytes.append(UInt8(ascii: "t"))
        case UInt8(ascii: "\""), UInt8(ascii: "\\"): bytes.append(byte)
        default:
            bytes.append("u00")
            bytes.append(Hex.digits[Int(byte >> 4)])
            bytes.append(Hex.digits[Int(byte & 15)])
        }
    }
}
