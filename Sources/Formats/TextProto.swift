// Protocol Buffers text format (protobuf.dev/reference/protobuf/textformat-spec), as Triton's config.pbtxt uses it, read
// into a small tree. What a field means is the reader's business; this file knows only the grammar.

import Bytes

/// A message in text format: its fields in order, a name as often as it stands.
package struct TextProtoMessage: Sendable, Equatable {
    package indirect enum Value: Sendable, Equatable {
        /// A quoted string, escapes undone; also the bytes of a `bytes` field.
        case string([UInt8])
        /// A number, enum name or `true`/`false`, as written.
        case word(String)
        case message(TextProtoMessage)
    }

    package struct Field: Sendable, Equatable {
        package let name: String
        package let value: Value
        /// 1-based, for error messages.
        package let line: Int

        package init(name: String, value: Value, line: Int) {
            self.name = name
            self.value = value
            self.line = line
        }
    }

    package var fields: [Field] = []

    package init() {}

    /// The values of every field called `name`.
    package func values(_ name: String) -> [Value] { fields.filter { $0.name == name }.map(\.value) }
}

/// Where and why text is not in text format.
package struct TextProtoError: Error, Equatable {
    package let line: Int
    package let reason: String

    package var message: String { "line \(line): \(reason)" }
}

/// Parses text format.
package struct TextProtoParser {
    private let bytes: [UInt8]
    private var index = 0
    private var line = 1
    private let depthMax = 32

    private init(_ bytes: [UInt8]) { self.bytes = bytes }

    /// Parses a whole message.
    package static func parse(_ bytes: [UInt8]) throws(TextProtoError) -> TextProtoMessage {
        var parser = TextProtoParser(bytes)
        let message = try parser.fields(until: nil, depth: 0)
        return message
    }

    private mutating func fields(until end: UInt8?, depth: Int) throws(TextProtoError) -> TextProtoMessage {
        guard depth <= depthMax else { throw failure("nested deeper than \(depthMax) messages") }
        var message = TextProtoMessage()
        while true {
            skipSpace()
            guard let byte = peek else {
                guard end == nil else { throw failure("a message is not closed") }
                return message
            }
            if byte == end {
                index += 1
                return message
            }
            let fieldLine = line
            let name = try identifier()
            skipSpace()
            if take(UInt8(ascii: ":")) {
                skipSpace()
            } else if !["{", "<", "["].contains(peek.map { Character(UnicodeScalar($0)) }) {
                throw failure("field \"\(name)\" is followed by neither a colon nor a message")
            }
            if take(UInt8(ascii: "[")) {
                try list(name, fieldLine, depth, into: &message)
            } else {
                message.fields.append(.init(name: name, value: try value(depth), line: fieldLine))
            }
            skipSpace()
            if !take(UInt8(ascii: ",")) { _ = take(UInt8(ascii: ";")) }
        }
    }

    private mutating func list(
        _ name: String, _ fieldLine: Int, _ depth: Int, into message: inout TextProtoMessage
    ) throws(TextProtoError) {
        skipSpace()
        if take(UInt8(ascii: "]")) { return }
        while true {
            skipSpace()
            message.fields.append(.init(name: name, value: try value(depth), line: fieldLine))
            skipSpace()
            if take(UInt8(ascii: "]")) { return }
            guard take(UInt8(ascii: ",")) else { throw failure("the list of \"\(name)\" lacks a comma or its end") }
        }
    }

    private mutating func value(_ depth: Int) throws(TextProtoError) -> TextProtoMessage.Value {
        guard let byte = peek else { throw failure("the text ends where a value should stand") }
        switch byte {
        case UInt8(ascii: "{"):
            index += 1
            return .message(try fields(until: UInt8(ascii: "}"), depth: depth + 1))
        case UInt8(ascii: "<"):
            index += 1
            return .message(try fields(until: UInt8(ascii: ">"), depth: depth + 1))
        case UInt8(ascii: "\""), UInt8(ascii: "'"):
            var text: [UInt8] = []
            // Adjacent strings are one string.
            while let quote = peek, quote == UInt8(ascii: "\"") || quote == UInt8(ascii: "'") {
                try string(quote, into: &text)
                skipSpace()
            }
            return .string(text)
        default:
            let word = takeWhile {
                Self.isWord($0) || $0 == UInt8(ascii: "-") || $0 == UInt8(ascii: "+") || $0 == UInt8(ascii: ".")
            }
            guard !word.isEmpty else {
                throw failure("a value cannot start with \"\(Character(UnicodeScalar(byte)))\"")
            }
            return .word(word)
        }
    }

    private mutating func identifier() throws(TextProtoError) -> String {
        let name = takeWhile { Self.isWord($0) || $0 == UInt8(ascii: ".") }
        guard let first = name.utf8.first, !ASCII.isDigit(first) else { throw failure("a field name is expected") }
        return name
    }

    private mutating func string(_ quote: UInt8, into text: inout [UInt8]) throws(TextProtoError) {
        index += 1
        while let byte = peek {
            index += 1
            switch byte {
            case quote: return
            case UInt8(ascii: "\n"): throw failure("a string is not closed on its line")
            case UInt8(ascii: "\\"): text.append(try escape())
            default: text.append(byte)
            }
        }
        throw failure("a string is not closed")
    }

    private mutating func escape() throws(TextProtoError) -> UInt8 {
        guard let byte = peek else { throw failure("a string is not closed") }
        index += 1
        switch byte {
        case UInt8(ascii: "n"): return 0x0a
        case UInt8(ascii: "r"): return 0x0d
        case UInt8(ascii: "t"): return 0x09
        case UInt8(ascii: "\\"), UInt8(ascii: "\""), UInt8(ascii: "'"), UInt8(ascii: "?"): return byte
        case UInt8(ascii: "x"):
            guard let high = peek.flatMap(Hex.digit) else { throw failure("\\x without a digit") }
            index += 1
            guard let low = peek.flatMap(Hex.digit) else { return high }
            index += 1
            return high << 4 | low
        case UInt8(ascii: "0")...UInt8(ascii: "7"):
            var value = Int(byte - UInt8(ascii: "0"))
            for _ in 0..<2 {
                guard let digit = peek, (UInt8(ascii: "0")...UInt8(ascii: "7")).contains(digit) else { break }
                value = value * 8 + Int(digit - UInt8(ascii: "0"))
                index += 1
            }
            guard value < 256 else { throw failure("an octal escape is over 255") }
            return UInt8(value)
        default: throw failure("the escape \\\(Character(UnicodeScalar(byte))) is not known")
        }
    }

    private mutating func skipSpace() {
        while let byte = peek {
            if byte == UInt8(ascii: "#") {
                while let comment = peek, comment != UInt8(ascii: "\n") { index += 1 }
            } else if byte == 0x20 || byte == 0x09 || byte == 0x0d || byte == 0x0a {
                if byte == 0x0a { line += 1 }
                index += 1
            } else {
                return
            }
        }
    }

    private var peek: UInt8? { index < bytes.count ? bytes[index] : nil }

    private mutating func take(_ byte: UInt8) -> Bool {
        guard peek == byte else { return false }
        index += 1
        return true
    }

    private mutating func takeWhile(_ accepts: (UInt8) -> Bool) -> String {
        let start = index
        while let byte = peek, accepts(byte) { index += 1 }
        return String(utf8: bytes[start..<index])
    }

    private static func isWord(_ byte: UInt8) -> Bool {
        ASCII.isDigit(byte) || (UInt8(ascii: "a")...UInt8(ascii: "z")).contains(ASCII.lowercase(byte))
            || byte == UInt8(ascii: "_")
    }

    private func failure(_ reason: String) -> TextProtoError { TextProtoError(line: line, reason: reason) }
}
