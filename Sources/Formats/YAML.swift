// YAML through libyaml's parser, into the JSON value tree: configuration files and manifests. Scalars follow YAML 1.2's
// core schema. Aliases are refused, because a few of them in each other grow without bound; so are duplicate keys.

import Bytes
import CYAML

/// Where and why a document was refused.
package struct YAMLError: Error, Sendable, Equatable {
    /// 1-based.
    package let line: Int
    package let reason: String

    package var message: String { "line \(line): \(reason)" }
}

package enum YAML {
    /// The documents of `bytes`; an empty text has none. At most `nodeCountMax` values, nested at most 64 levels.
    package static func parse(_ bytes: [UInt8], nodeCountMax: Int = 100_000) throws(YAMLError) -> [JSON] {
        var reader = YAMLReader(bytes, nodesLeft: nodeCountMax)
        defer { reader.close() }
        return try reader.documents()
    }
}

private struct YAMLReader {
    private let parser = UnsafeMutablePointer<yaml_parser_t>.allocate(capacity: 1)
    private let input: UnsafeMutableBufferPointer<UInt8>
    private var nodesLeft: Int
    private let depthMax = 64

    /// An event copied out of libyaml's memory.
    private enum Event {
        case streamEnd, documentStart, documentEnd, sequenceStart, sequenceEnd, mappingStart, mappingEnd
        case scalar(String, isPlain: Bool, tag: String?)
        case alias
        case other
    }

    init(_ bytes: [UInt8], nodesLeft: Int) {
        self.nodesLeft = nodesLeft
        input = .allocate(capacity: max(1, bytes.count))
        _ = input.initialize(from: bytes)
        yaml_parser_initialize(parser)
        yaml_parser_set_input_string(parser, input.baseAddress, bytes.count)
        yaml_parser_set_encoding(parser, YAML_UTF8_ENCODING)
    }

    mutating func close() {
        yaml_parser_delete(parser)
        parser.deallocate()
        input.deallocate()
    }

    mutating func documents() throws(YAMLError) -> [JSON] {
        var found: [JSON] = []
        while true {
            switch try next() {
            case .streamEnd: return found
            case .documentStart: found.append(try value(try next(), depth: 0))
            default: break
            }
        }
    }

    private mutating func value(_ event: Event, depth: Int) throws(YAMLError) -> JSON {
        nodesLeft -= 1
        guard nodesLeft >= 0 else { throw failure("too many values") }
        guard depth <= depthMax else { throw failure("nested deeper than \(depthMax) levels") }
        switch event {
        case .scalar(let text, let isPlain, let tag):
            return isPlain && tag == nil
                ? Self.resolve(text) : tag == nil || tag == "!" ? .string(text) : try tagged(text, tag)
        case .sequenceStart:
            var elements: [JSON] = []
            while true {
                let event = try next()
                if case .sequenceEnd = event { return .array(elements) }
                elements.append(try value(event, depth: depth + 1))
            }
        case .mappingStart:
            var members = JSONObject()
            while true {
                let event = try next()
                if case .mappingEnd = event { return .object(members) }
                guard case .scalar(let key, _, _) = event else { throw failure("a key must be a plain text") }
                guard members[key] == nil else { throw failure("the key \"\(key)\" is there twice") }
                members[key] = try value(try next(), depth: depth + 1)
            }
        case .alias: throw failure("aliases are not accepted; write the value again")
        default: throw failure("a value is expected")
        }
    }

    private func tagged(_ text: String, _ tag: String?) throws(YAMLError) -> JSON {
        switch tag {
        case "tag:yaml.org,2002:str": return .string(text)
        case "tag:yaml.org,2002:int", "tag:yaml.org,2002:float", "tag:yaml.org,2002:bool", "tag:yaml.org,2002:null":
            return Self.resolve(text)
        default: throw failure("the tag \(tag ?? "") is not accepted")
        }
    }

    /// The core schema of YAML 1.2, section 10.3.
    private static func resolve(_ text: String) -> JSON {
        switch text {
        case "", "~", "null", "Null", "NULL": return .null
        case "true", "True", "TRUE": return true
        case "false", "False", "FALSE": return false
        case ".inf", ".Inf", ".INF", "+.inf": return .double(.infinity)
        case "-.inf", "-.Inf", "-.INF": return .double(-.infinity)
        case ".nan", ".NaN", ".NAN": return .double(.nan)
        default: break
        }
        guard let first = text.utf8.first, ASCII.isDigit(first) || "+-.".utf8.contains(first) else {
            return .string(text)
        }
        if text.hasPrefix("0x"), let number = Int64(text.dropFirst(2), radix: 16) { return .int(number) }
        if text.hasPrefix("0o"), let number = Int64(text.dropFirst(2), radix: 8) { return .int(number) }
        if let number = Int64(text) { return .int(number) }
        let isNumber = text.utf8.allSatisfy { ASCII.isDigit($0) || "+-.eE".utf8.contains($0) }
        if isNumber, let number = Double(text) { return .double(number) }
        return .string(text)
    }

    private mutating func next() throws(YAMLError) -> Event {
        var event = yaml_event_t()
        guard yaml_parser_parse(parser, &event) == 1 else {
            let line = Int(parser.pointee.problem_mark.line) + 1
            throw YAMLError(line: line, reason: parser.pointee.problem.map { String(cString: $0) } ?? "not YAML")
        }
        defer { yaml_event_delete(&event) }
        switch event.type {
        case YAML_STREAM_END_EVENT: return .streamEnd
        case YAML_DOCUMENT_START_EVENT: return .documentStart
        case YAML_DOCUMENT_END_EVENT: return .documentEnd
        case YAML_SEQUENCE_START_EVENT: return .sequenceStart
        case YAML_SEQUENCE_END_EVENT: return .sequenceEnd
        case YAML_MAPPING_START_EVENT: return .mappingStart
        case YAML_MAPPING_END_EVENT: return .mappingEnd
        case YAML_ALIAS_EVENT: return .alias
        case YAML_SCALAR_EVENT:
            let scalar = event.data.scalar
            let bytes = UnsafeBufferPointer(start: scalar.value, count: scalar.length)
            let tag = scalar.tag.map { String(cString: $0) }
            return .scalar(String(utf8: bytes), isPlain: scalar.style == YAML_PLAIN_SCALAR_STYLE, tag: tag)
        default: return .other
        }
    }

    private func failure(_ reason: String) -> YAMLError {
        YAMLError(line: Int(parser.pointee.mark.line) + 1, reason: reason)
    }
}
