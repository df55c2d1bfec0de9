import Bytes

/// Writes XML 1.0: elements, attributes and escaped text, no indentation.
package struct XMLWriter: Sendable {
    /// The document so far.
    package private(set) var bytes: [UInt8] = []
    private var open: [String] = []

    /// Begins a document with its declaration.
    package init() {
        bytes.reserveCapacity(1024)
        bytes.append("<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n")
    }

    /// Opens an element. `name` and attribute names come from us, values may come from anywhere.
    package mutating func begin(_ name: String, attributes: [(name: String, value: String)] = []) {
        bytes.append("<")
        bytes.append(name)
        for (attribute, value) in attributes {
            bytes.append(" ")
            bytes.append(attribute)
            bytes.append("=\"")
            escape(value)
            bytes.append("\"")
        }
        bytes.append(">")
        open.append(name)
    }

    /// Closes the element opened last. Traps when there is none.
    package mutating func end() {
        let name = open.removeLast()
        bytes.append("</")
        bytes.append(name)
        bytes.append(">")
    }

    /// An element that holds text only.
    package mutating func leaf(_ name: String, _ text: String) {
        bytes.append("<")
        bytes.append(name)
        bytes.append(">")
        escape(text)
        bytes.append("</")
        bytes.append(name)
        bytes.append(">")
    }

    /// Text inside the element opened last.
    package mutating func text(_ text: String) { escape(text) }

    /// Control characters, which XML 1.0 cannot hold, become references, as Amazon writes them.
    private mutating func escape(_ text: String) {
        for byte in text.utf8 {
            switch byte {
            case UInt8(ascii: "&"): bytes.append("&amp;")
            case UInt8(ascii: "<"): bytes.append("&lt;")
            case UInt8(ascii: ">"): bytes.append("&gt;")
            case UInt8(ascii: "\""): bytes.append("&quot;")
            case 0..<0x20, 0x7f:
                bytes.append("&#x")
                bytes.append(hexadecimal: UInt64(byte))
                bytes.append(";")
            default: bytes.append(byte)
            }
        }
    }
}
