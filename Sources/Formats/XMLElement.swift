// A small XML reader for request bodies. No DTD and so no entities but the five predefined ones and character
// references: nothing can expand. Depth, elements and input are bounded. Namespace prefixes are cut off names.

import Bytes

/// Why a document was refused, and where.
package struct XMLError: Error, Sendable, Equatable {
    package enum Kind: Sendable {
        case malformed
        case doctype
        case tooDeep
        case tooManyElements
        case notUTF8
    }

    package let kind: Kind
    /// Byte offset in the input.
    package let offset: Int
}

/// One element of a document that was read whole.
package struct XMLElement: Sendable, Equatable {
    /// Without its namespace prefix.
    package let name: String
    package var attributes: [String: String] = [:]
    package var children: [XMLElement] = []
    /// The character data between the children, joined.
    package var text = ""

    package init(name: String) { self.name = name }

    /// The first child called `name`.
    package func child(_ name: String) -> XMLElement? { children.first { $0.name == name } }

    /// Reads a document: one root element, which may follow a declaration and comments.
    package static func parse(
        _ bytes: [UInt8], depthMax: Int = 32, elementCountMax: Int = 100_000
    ) throws(XMLError) -> XMLElement {
        guard String(validUTF8: bytes) != nil else { throw XMLError(kind: .notUTF8, offset: 0) }
        var reader = XMLTreeReader(bytes: bytes, depthMax: depthMax, elementsLeft: elementCountMax)
        return try reader.document()
    }
}

private struct XMLTreeReader {
    let bytes: [UInt8]
    let depthMax: Int
    var elementsLeft: Int
    var index = 0

    init(bytes: [UInt8], depthMax: Int, elementsLeft: Int) {
        self.bytes = bytes
        self.depthMax = depthMax
        self.elementsLeft = elementsLeft
        if bytes.starts(with: [0xef, 0xbb, 0xbf]) { index = 3 }
    }

    mutating func document() throws(XMLError) -> XMLElement {
        try skipMisc()
        guard skip("<") else { throw error() }
        let root = try element(depth: 1)
        try skipMisc()
        guard index == bytes.count else { throw error() }
        return root
    }

    /// Reads an element whose `<` was read.
    private mutating func element(depth: Int) throws(XMLError) -> XMLElement {
        guard depth <= depthMax else { throw error(.tooDeep) }
        guard elementsLeft > 0 else { throw error(.tooManyElements) }
        elementsLeft -= 1
        let qualified = try name()
        var element = XMLElement(name: Self.local(qualified))
        while true {
            let hadSpace = skipSpace()
            if skip("/>") { return element }
            if skip(">") { break }
            guard hadSpace else { throw error() }
            let attribute = try name()
            _ = skipSpace()
            guard skip("=") else { throw error() }
            _ = skipSpace()
            element.attributes[attribute] = try attributeValue()
        }
        var text: [UInt8] = []
        while true {
            guard index < bytes.count else { throw error() }
            if skip("<!--") {
                try skipPast("-->")
            } else if skip("<![CDATA[") {
                let start = index
                try skipPast("]]>")
                text.append(contentsOf: bytes[start..<index - 3])
            } else if skip("<?") {
                try skipPast("?>")
            } else if skip("</") {
                guard try name() == qualified else { throw error() }
                _ = skipSpace()
                guard skip(">") else { throw error() }
                element.text = String(utf8: text)
                return element
            } else if skip("<") {
                element.children.append(try self.element(depth: depth + 1))
            } else if bytes[index] == UInt8(ascii: "&") {
                text.append(contentsOf: try reference())
            } else {
                text.append(bytes[index])
                index += 1
            }
        }
    }

    private mutating func name() throws(XMLError) -> String {
        let start = index
        while index < bytes.count {
            switch bytes[index] {
            case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "A")...UInt8(ascii: "Z"), UInt8(ascii: "_"),
                UInt8(ascii: ":"), 0x80...:
                index += 1
            case UInt8(ascii: "0")...UInt8(ascii: "9"), UInt8(ascii: "-"), UInt8(ascii: "."):
                guard index > start else { throw error() }
                index += 1
            default:
                guard index > start else { throw error() }
                return String(utf8: bytes[start..<index])
            }
        }
        throw error()
    }

    private mutating func attributeValue() throws(XMLError) -> String {
        guard index < bytes.count else { throw error() }
        let quote = bytes[index]
        guard quote == UInt8(ascii: "\"") || quote == UInt8(ascii: "'") else { throw error() }
        index += 1
        var value: [UInt8] = []
        while index < bytes.count, bytes[index] != quote {
            switch bytes[index] {
            case UInt8(ascii: "<"): throw error()
            case UInt8(ascii: "&"): value.append(contentsOf: try reference())
            default:
                value.append(bytes[index])
                index += 1
            }
        }
        guard index < bytes.count else { throw error() }
        index += 1
        return String(utf8: value)
    }

    /// Reads `&…;`.
    private mutating func reference() throws(XMLError) -> [UInt8] {
        let start = index
        guard let end = bytes[index..<min(index + 12, bytes.count)].firstIndex(of: UInt8(ascii: ";")) else {
            throw error()
        }
        let name = String(utf8: bytes[index + 1..<end])
        index = end + 1
        switch name {
        case "amp": return [UInt8(ascii: "&")]
        case "lt": return [UInt8(ascii: "<")]
        case "gt": return [UInt8(ascii: ">")]
        case "quot": return [UInt8(ascii: "\"")]
        case "apos": return [UInt8(ascii: "'")]
        default:
            let digits = name.dropFirst(name.hasPrefix("#x") ? 2 : 1)
            guard name.hasPrefix("#"), digits.first?.isHexDigit == true,
                let value = UInt32(digits, radix: name.hasPrefix("#x") ? 16 : 10), value != 0,
                let scalar = Unicode.Scalar(value)
            else { throw XMLError(kind: .malformed, offset: start) }
            return Array(String(Character(scalar)).utf8)
        }
    }

    /// Declaration, processing instructions, comments and space around the root.
    private mutating func skipMisc() throws(XMLError) {
        while true {
            _ = skipSpace()
            if skip("<?") {
                try skipPast("?>")
            } else if skip("<!--") {
                try skipPast("-->")
            } else if bytes[index...].starts(with: "<!".utf8) {
                throw error(.doctype)
            } else {
                return
            }
        }
    }

    private mutating func skip(_ literal: String) -> Bool {
        guard bytes[index...].starts(with: literal.utf8) else { return false }
        index += literal.utf8.count
        return true
    }

    private mutating func skipSpace() -> Bool {
        let start = index
        while index < bytes.count, [0x20, 0x09, 0x0a, 0x0d].contains(bytes[index]) { index += 1 }
        return index > start
    }

    private mutating func skipPast(_ literal: String) throws(XMLError) {
        while index < bytes.count {
            if skip(literal) { return }
            index += 1
        }
        throw error()
    }

    private func error(_ kind: XMLError.Kind = .malformed) -> XMLError { XMLError(kind: kind, offset: index) }

    private static func local(_ name: String) -> String {
        guard let colon = name.utf8.lastIndex(of: UInt8(ascii: ":")) else { return name }
        return String(name[name.index(after: colon)...])
    }
}
