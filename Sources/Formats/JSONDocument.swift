// Reading JSON without building a tree: simdjson writes a flat tape, and `JSONValue` is an index into it. Strings are
// made only when asked for. A log-batch of 1000 metrics reads in well under a millisecond this way.

import Bytes
import CSimdjson

/// Why text is not JSON that is accepted here.
///
/// It has no offset: simdjson's DOM parser checks the whole text and returns a code alone. A place (`current_location`)
/// is known only to its On Demand parser, which does not check what nobody reads.
package enum JSONError: Error, Equatable {
    case malformed
    case notUTF8
    case tooDeep(depthMax: Int)
    case tooLarge

    package var message: String {
        switch self {
        case .malformed: "the text is not well-formed JSON"
        case .notUTF8: "the text is not UTF-8"
        case .tooDeep(let depthMax): "the JSON is nested deeper than \(depthMax) levels"
        case .tooLarge: "the JSON is too large"
        }
    }
}

/// A parsed document. Each of its values keeps it alive.
package final class JSONDocument {
    // The parser owns the tape and the unescaped strings; this object owns the parser and never lets it parse again.
    private let parser: OpaquePointer
    fileprivate let nodes: UnsafeBufferPointer<slipway_json_node>

    /// Parses `bytes`: UTF-8, at most 4 GiB, nested at most `depthMax` levels.
    package init(_ bytes: [UInt8], depthMax: Int = 64) throws(JSONError) {
        guard bytes.count < 1 << 32, let parser = slipway_json_parser_create() else { throw .tooLarge }
        var padded = bytes
        padded.reserveCapacity(bytes.count + 64)
        for _ in 0..<64 { padded.append(0x20) }
        var tape: UnsafePointer<slipway_json_node>?
        var count = 0
        let result = padded.withUnsafeBufferPointer {
            slipway_json_parse(parser, $0.baseAddress, bytes.count, depthMax, &tape, &count)
        }
        guard result == slipway_json_ok else {
            slipway_json_parser_destroy(parser)
            switch result {
            case slipway_json_bad_utf8: throw .notUTF8
            case slipway_json_too_deep: throw .tooDeep(depthMax: depthMax)
            case slipway_json_no_memory: throw .tooLarge
            default: throw .malformed
            }
        }
        self.parser = parser
        nodes = UnsafeBufferPointer(start: tape, count: count)
    }

    deinit { slipway_json_parser_destroy(parser) }

    package var root: JSONValue { JSONValue(document: self, index: 0) }
}

/// One value of a document.
package struct JSONValue {
    fileprivate let document: JSONDocument
    fileprivate let index: Int

    private var node: slipway_json_node { document.nodes[index] }
    private var kind: slipway_json_kind { slipway_json_kind(rawValue: UInt32(node.kind)) }

    package var isNull: Bool { kind == slipway_json_null }
    package var isObject: Bool { kind == slipway_json_object }
    package var isArray: Bool { kind == slipway_json_array }
    package var isString: Bool { kind == slipway_json_string }

    package var bool: Bool? {
        switch kind {
        case slipway_json_true: true
        case slipway_json_false: false
        default: nil
        }
    }

    /// The integer; a double without a fraction counts.
    package var int: Int64? {
        switch kind {
        case slipway_json_integer: node.integer
        case slipway_json_double: Int64(exactly: node.number)
        default: nil
        }
    }

    /// The integer, also one above `Int64.max`; negative ones are nil.
    package var unsigned: UInt64? {
        switch kind {
        case slipway_json_integer: UInt64(exactly: node.integer)
        case slipway_json_unsigned: node.unsigned_integer
        case slipway_json_double: UInt64(exactly: node.number)
        default: nil
        }
    }

    package var double: Double? {
        switch kind {
        case slipway_json_integer: Double(node.integer)
        case slipway_json_unsigned: Double(node.unsigned_integer)
        case slipway_json_double: node.number
        default: nil
        }
    }

    package var string: String? {
        guard kind == slipway_json_string else { return nil }
        return String(decoding: utf8, as: UTF8.self)
    }

    /// The bytes of a string; empty for other kinds. Valid while the document lives.
    package var utf8: UnsafeRawBufferPointer {
        guard kind == slipway_json_string else { return UnsafeRawBufferPointer(start: nil, count: 0) }
        return UnsafeRawBufferPointer(start: node.text, count: Int(node.length))
    }

    /// True for a string equal to `text`; no string is made.
    package func equals(_ text: String) -> Bool {
        kind == slipway_json_string && node.length == text.utf8.count && utf8.elementsEqual(text.utf8)
    }

    /// Members of an object, or elements of an array.
    package var count: Int { isObject || isArray ? Int(node.length) : 0 }

    /// The last member called `key`; nil when there is none or this is no object.
    package subscript(_ key: String) -> JSONValue? {
        var found: JSONValue?
        forEachMember { name, value in if name.equals(key) { found = value } }
        return found
    }

    /// Visits the members of an object in order; nothing for other kinds.
    package func forEachMember<Failure: Error>(
        _ body: (_ name: JSONValue, _ value: JSONValue) throws(Failure) -> Void
    ) throws(Failure) {
        guard isObject else { return }
        var cursor = index + 1
        for _ in 0..<Int(node.length) {
            let value = JSONValue(document: document, index: cursor + 1)
            try body(JSONValue(document: document, index: cursor), value)
            cursor = Int(value.node.next)
        }
    }

    /// Visits the elements of an array in order; nothing for other kinds.
    package func forEachElement<Failure: Error>(_ body: (JSONValue) throws(Failure) -> Void) throws(Failure) {
        guard isArray else { return }
        var cursor = index + 1
        for _ in 0..<Int(node.length) {
            let value = JSONValue(document: document, index: cursor)
            try body(value)
            cursor = Int(value.node.next)
        }
    }

    /// The value as a tree.
    package var tree: JSON {
        switch kind {
        case slipway_json_true: return true
        case slipway_json_false: return false
        case slipway_json_integer: return .int(node.integer)
        case slipway_json_unsigned: return .unsigned(node.unsigned_integer)
        case slipway_json_double: return .double(node.number)
        case slipway_json_string: return .string(string ?? "")
        case slipway_json_array:
            var elements: [JSON] = []
            elements.reserveCapacity(count)
            forEachElement { elements.append($0.tree) }
            return .array(elements)
        case slipway_json_object:
            var members = JSONObject()
            forEachMember { members[$0.string ?? ""] = $1.tree }
            return .object(members)
        default: return .null
        }
    }

    /// The paths of members that repeat a name of the same object, such as `spec.replicas`: strict decoding refuses them.
    package func duplicateMembers(prefix: String = "") -> [String] {
        var found: [String] = []
        var seen: Set<String> = []
        forEachMember { name, value in
            let path = prefix.isEmpty ? name.string ?? "" : "\(prefix).\(name.string ?? "")"
            if !seen.insert(name.string ?? "").inserted { found.append(path) }
            found += value.duplicateMembers(prefix: path)
        }
        var position = 0
        forEachElement { element in
            found += element.duplicateMembers(prefix: "\(prefix)[\(position)]")
            position += 1
        }
        return found
    }
}

extension JSON {
    /// Parses `bytes` into a tree. Of members that repeat a name the last one counts.
    package static func parse(_ bytes: [UInt8], depthMax: Int = 64) throws(JSONError) -> JSON {
        try JSONDocument(bytes, depthMax: depthMax).root.tree
    }
}
