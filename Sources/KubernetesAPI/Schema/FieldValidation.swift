// Reads an object against the schema: unknown fields are found and dropped, nulls dropped, wrong types refused.
// Kubernetes leaves this to its decoders; clients see the same words.

import Clock
import Cluster
import Formats

/// What a client asks to happen with fields that the server does not know.
enum FieldValidation: String {
    case strict = "Strict"
    case warn = "Warn"
    case ignore = "Ignore"
}

/// Checks one object and returns it with only what its kind has.
struct FieldValidator {
    private(set) var unknown: [String] = []
    private(set) var mismatch: String?
    private let schema: Schema
    /// Reports of one object; more help nobody.
    private static let unknownCountMax = 50

    init(schema: Schema = .shared) { self.schema = schema }

    /// `object` as a message called `name`; `apiVersion` and `kind` stand beside its fields.
    mutating func prune(_ object: JSON, as name: String) -> JSON {
        var envelope = object
        envelope["apiVersion"] = nil
        envelope["kind"] = nil
        var pruned = JSONObject()
        pruned["apiVersion"] = object["apiVersion"]
        pruned["kind"] = object["kind"]
        for (key, value) in prune(envelope, .message(name), "").objectValue ?? JSONObject() { pruned[key] = value }
        return .object(pruned)
    }

    private mutating func prune(_ value: JSON, _ type: SchemaType, _ path: String) -> JSON {
        switch type {
        case .message(let name): return message(value, name, path)
        case .list(let element):
            guard let elements = value.arrayValue else { return fail(value, path, "array") }
            return .array(elements.enumerated().map { prune($1, element, "\(path)[\($0)]") })
        case .map(let element):
            guard let members = value.objectValue else { return fail(value, path, "object") }
            var map = JSONObject()
            for (key, member) in members where member != .null || element == .any {
                map[key] = prune(member, element, "\(path).\(key)")
            }
            return .object(map)
        case .any: return value
        case .string, .bytes: return value.stringValue != nil ? value : fail(value, path, "string")
        case .bool: return value.boolValue != nil ? value : fail(value, path, "boolean")
        case .int: return value.intValue != nil ? value : fail(value, path, "integer")
        case .double: return value.doubleValue != nil ? value : fail(value, path, "number")
        case .time, .microtime:
            guard let text = value.stringValue, text.isEmpty || WallTime(iso8601: text) != nil else {
                return fail(value, path, "RFC 3339 time")
            }
            return value
        case .intOrString:
            return value.stringValue != nil || value.intValue != nil ? value : fail(value, path, "integer or string")
        case .quantity, .scalar:
            if value.arrayValue != nil || value.objectValue != nil { return fail(value, path, "string or number") }
            return value
        }
    }

    private mutating func message(_ value: JSON, _ name: String, _ path: String) -> JSON {
        guard let members = value.objectValue else { return fail(value, path, "object") }
        let fields = schema[name].byName
        var pruned = JSONObject()
        for (key, member) in members {
            let memberPath = path.isEmpty ? key : "\(path).\(key)"
            guard let field = fields[key] else {
                if unknown.count < Self.unknownCountMax { unknown.append(memberPath) }
                continue
            }
            if member != .null { pruned[key] = prune(member, field.type, memberPath) }
        }
        return .object(pruned)
    }

    private mutating func fail(_ value: JSON, _ path: String, _ expected: String) -> JSON {
        if mismatch == nil {
            mismatch = "json: cannot unmarshal \(Self.word(value)) into field \"\(path)\" of type \(expected)"
        }
        return value
    }

    private static func word(_ value: JSON) -> String {
        switch value {
        case .null: "null"
        case .bool: "bool"
        case .int, .unsigned, .double: "number"
        case .string: "string"
        case .array: "array"
        case .object: "object"
        }
    }
}
