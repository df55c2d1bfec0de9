import Bytes
import Formats

/// JSON Patch (RFC 6902): a list of operations, all or none.
enum JSONPatch {
    /// Operations of one patch.
    static let operationCountMax = 10_000

    static func apply(_ patch: JSON, to document: JSON) throws(PatchError) -> JSON {
        guard let operations = patch.arrayValue else {
            throw PatchError(.malformed, "a JSON patch is an array of operations")
        }
        guard operations.count <= operationCountMax else {
            throw PatchError(
                .malformed,
                "the allowed maximum operations in a JSON patch is \(operationCountMax), got \(operations.count)")
        }
        var document = document
        for operation in operations { try apply(operation: operation, to: &document) }
        return document
    }

    private static func apply(operation: JSON, to document: inout JSON) throws(PatchError) {
        let path = try pointer(operation["path"], "path")
        switch operation["op"]?.stringValue {
        case "add": try add(try value(operation), path[...], &document)
        case "remove": try remove(path[...], &document)
        case "replace":
            guard get(path[...], document) != nil else { throw missing(path) }
            try replace(try value(operation), path[...], &document)
        case "move":
            let from = try pointer(operation["from"], "from")
            guard !(path.starts(with: from) && path.count > from.count) else {
                throw PatchError(.malformed, "a value cannot be moved into itself")
            }
            guard let moved = get(from[...], document) else { throw missing(from) }
            try remove(from[...], &document)
            try add(moved, path[...], &document)
        case "copy":
            let from = try pointer(operation["from"], "from")
            guard let copied = get(from[...], document) else { throw missing(from) }
            try add(copied, path[...], &document)
        case "test":
            guard get(path[...], document) ?? .null == operation["value"] ?? .null else {
                throw PatchError(.notApplicable, "testing value /\(path.joined(separator: "/")) failed")
            }
        case let other: throw PatchError(.malformed, "unexpected kind of operation: \(other ?? "none")")
        }
    }

    private static func value(_ operation: JSON) throws(PatchError) -> JSON {
        guard let value = operation["value"] else { throw PatchError(.malformed, "the operation has no value") }
        return value
    }

    private static func missing(_ path: [String]) -> PatchError {
        PatchError(.notApplicable, "the path /\(path.joined(separator: "/")) does not exist")
    }

    /// The reference tokens of a JSON pointer (RFC 6901).
    private static func pointer(_ value: JSON?, _ name: String) throws(PatchError) -> [String] {
        guard let text = value?.stringValue, text.isEmpty || text.hasPrefix("/") else {
            throw PatchError(.malformed, "\(name) must be a JSON pointer: empty, or starting with /")
        }
        return text.dropFirst().isEmpty && text.isEmpty
            ? []
            : text.dropFirst().pieces(by: "/", omittingEmptySubsequences: false).map(unescaped)
    }

    private static func unescaped(_ token: Substring) -> String {
        var out = ""
        var isEscaped = false
        for character in token {
            switch (isEscaped, character) {
            case (true, "0"): out.append("~")
            case (true, "1"): out.append("/")
            case (true, _): out += "~\(character)"
            case (false, "~"): break
            case (false, _): out.append(character)
            }
            isEscaped = !isEscaped && character == "~"
        }
        return out
    }

    private static func get(_ path: ArraySlice<String>, _ value: JSON) -> JSON? {
        guard let first = path.first else { return value }
        if let elements = value.arrayValue {
            guard let index = index(first, below: elements.count) else { return nil }
            return get(path.dropFirst(), elements[index])
        }
        return value[first].flatMap { get(path.dropFirst(), $0) }
    }

    private static func index(_ token: String, below limit: Int) -> Int? {
        guard let index = Int(token), index >= 0, index < limit, String(index) == token else { return nil }
        return index
    }

    private static func add(_ new: JSON, _ path: ArraySlice<String>, _ value: inout JSON) throws(PatchError) {
        try change(path, &value) { (container, token) throws(PatchError) in
            switch container {
            case .array(var elements):
                let position = token == "-" ? elements.count : index(token, below: elements.count + 1)
                guard let position else {
                    throw PatchError(.notApplicable, "index \(token) is out of bounds of an array of \(elements.count)")
                }
                elements.insert(new, at: position)
                container = .array(elements)
            default: container[token] = new
            }
        } whole: {
            $0 = new
        }
    }

    private static func replace(_ new: JSON, _ path: ArraySlice<String>, _ value: inout JSON) throws(PatchError) {
        try change(path, &value) { (container, token) throws(PatchError) in
            if case .array(var elements) = container, let index = index(token, below: elements.count) {
                elements[index] = new
                container = .array(elements)
            } else {
                container[token] = new
            }
        } whole: {
            $0 = new
        }
    }

    private static func remove(_ path: ArraySlice<String>, _ value: inout JSON) throws(PatchError) {
        let all = Array(path)
        guard get(path, value) != nil else { throw missing(all) }
        try change(path, &value) { (container, token) throws(PatchError) in
            if case .array(var elements) = container, let index = index(token, below: elements.count) {
                elements.remove(at: index)
                container = .array(elements)
            } else {
                container[token] = nil
            }
        } whole: {
            $0 = .null
        }
    }

    /// Runs `body` on the container that the last token of `path` names a place in.
    private static func change(
        _ path: ArraySlice<String>, _ value: inout JSON, _ body: (inout JSON, String) throws(PatchError) -> Void,
        whole: (inout JSON) -> Void
    ) throws(PatchError) {
        guard let first = path.first else { return whole(&value) }
        if path.count == 1 {
            guard value.objectValue != nil || value.arrayValue != nil else {
                throw PatchError(
                    .notApplicable, "/\(first) names a place in something that is neither object nor array")
            }
            return try body(&value, first)
        }
        if case .array(var elements) = value {
            guard let index = index(first, below: elements.count) else { throw missing(Array(path)) }
            try change(path.dropFirst(), &elements[index], body, whole: whole)
            value = .array(elements)
            return
        }
        guard var child = value[first] else { throw missing(Array(path)) }
        try change(path.dropFirst(), &child, body, whole: whole)
        value[first] = child
    }
}
