// `{{name}}` in texts. Each text is read once: what a value contains is never looked at again, so a parameter that holds
// braces, quotes or newlines is only ever data. Argo substitutes into the JSON text of a template and parses that again;
// doing it on the values inside the parsed JSON gives the same result without that door.

import Bytes
import Formats

enum TemplateText {
    /// First parts of the names that belong to workflows. Other `{{...}}`, of another template language in a script, stay.
    private static let ownPrefixes: Set<String> = [
        "workflow", "inputs", "outputs", "steps", "tasks", "item", "pod", "node", "retries", "lastRetry", "status",
        "duration",
    ]

    /// One piece of a text.
    enum Part: Equatable {
        case literal(String)
        case tag(String)
    }

    /// Splits at tags. An unclosed `{{` is literal text.
    static func parts(_ text: String) -> [Part] {
        let bytes = Array(text.utf8)
        var parts: [Part] = []
        var start = 0
        var index = 0
        let open = UInt8(ascii: "{")
        let close = UInt8(ascii: "}")
        while index + 1 < bytes.count {
            guard bytes[index] == open, bytes[index + 1] == open else {
                index += 1
                continue
            }
            var end = index + 2
            while end + 1 < bytes.count, !(bytes[end] == close && bytes[end + 1] == close) { end += 1 }
            guard end + 1 < bytes.count else { break }
            if index > start { parts.append(.literal(String(utf8: bytes[start..<index]))) }
            parts.append(.tag(String(utf8: bytes[index..<end + 2])))
            index = end + 2
            start = index
        }
        if start < bytes.count { parts.append(.literal(String(utf8: bytes[start...]))) }
        return parts
    }

    /// The name in a tag, `{{ name }}`.
    static func name(_ tag: String) -> String {
        let inner = tag.utf8.dropFirst(2).dropLast(2)
        let blanks: Set<UInt8> = [0x20, 0x09, 0x0a, 0x0d]
        let trimmed = inner.drop { blanks.contains($0) }
        var end = trimmed.endIndex
        while end > trimmed.startIndex, blanks.contains(trimmed[trimmed.index(before: end)]) {
            end = trimmed.index(before: end)
        }
        return String(utf8: trimmed[trimmed.startIndex..<end])
    }

    /// The value of a tag; the tag itself when it is none of a workflow's. Throws when a workflow's name has no value.
    static func value(_ tag: String, _ scope: WorkflowScope) throws(WorkflowFault) -> String {
        let name = name(tag)
        if let value = scope[name] { return value }
        if name.hasPrefix("=") {
            throw WorkflowFault("expression \"\(tag)\" is not supported here; only {{name}} is")
        }
        let first = String(name.prefix { $0 != "." })
        guard ownPrefixes.contains(first) else { return tag }
        throw WorkflowFault("failed to resolve \(tag)")
    }

    static func substitute(_ text: String, _ scope: WorkflowScope) throws(WorkflowFault) -> String {
        guard text.utf8.contains(UInt8(ascii: "{")) else { return text }
        var out = ""
        for part in parts(text) {
            switch part {
            case .literal(let literal): out += literal
            case .tag(let tag): out += try value(tag, scope)
            }
        }
        return out
    }

    /// Substitutes in every text inside `json`; keys stay as they are.
    static func substitute(_ json: JSON, _ scope: WorkflowScope) throws(WorkflowFault) -> JSON {
        switch json {
        case .string(let text): return .string(try substitute(text, scope))
        case .array(let elements):
            var out: [JSON] = []
            for element in elements { out.append(try substitute(element, scope)) }
            return .array(out)
        case .object(let members):
            var out = JSONObject()
            for (key, value) in members { out[key] = try substitute(value, scope) }
            return .object(out)
        default: return json
        }
    }

    /// A value as text: strings as they are, everything else as JSON.
    static func text(_ json: JSON) -> String {
        if case .string(let text) = json { return text }
        return String(utf8: json.encoded)
    }
}
