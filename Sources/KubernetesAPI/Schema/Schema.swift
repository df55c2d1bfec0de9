// What the server knows about the fields of its kinds, in one table for four uses: refusing unknown fields, decoding
// Protobuf bodies, merging lists by key, and answering `kubectl explain`.
//
// Notation of the tables: a message begins at the margin, `PodSpec: FIELD, FIELD, ...`; a field is `NUMBER NAME TYPE
// [by KEY | merged]`. Types: string int double bool bytes time microtime quantity intstr (integer or text), scalar
// (text, number or boolean), any, a message's name; `[T]` a list, `{T}` a map from text; `?` after a type says that a
// zero value is kept, as it is behind a pointer. `NUMBER ...Message` takes the fields of another message in. `by KEY`
// merges a list of messages by that member, `merged` a list of scalars as a set.

import Bytes
import Formats

/// The source texts of the schema; each table adds its own.
enum SchemaTables {}

indirect enum SchemaType: Sendable, Equatable {
    case string, int, double, bool, bytes, time, microtime, quantity, intOrString, scalar, any
    case list(SchemaType)
    case map(SchemaType)
    case message(String)
}

/// How a strategic merge treats a list.
enum ListMerge: Sendable, Equatable {
    case replace
    case byKey(String)
    case asSet
}

struct SchemaField: Sendable {
    let number: Int
    /// Empty for one that takes another message's fields in.
    let name: String
    let type: SchemaType
    let keepsZero: Bool
    let merge: ListMerge
}

/// One message: its own fields in order, and those by JSON name with the ones it takes in.
struct SchemaMessage: Sendable {
    let name: String
    let fields: [SchemaField]
    fileprivate(set) var byName: [String: SchemaField] = [:]
    let byNumber: [Int: SchemaField]
}

/// All messages by name.
struct Schema: Sendable {
    private var messages: [String: SchemaMessage] = [:]

    static let shared = Schema(parsing: [
        SchemaTables.meta, SchemaTables.core, SchemaTables.access, SchemaTables.workloads, SchemaTables.argo,
        SchemaTables.kserve,
    ])

    init(parsing tables: [String]) {
        for table in tables {
            for text in Self.entries(table) {
                let message = Self.message(text)
                precondition(messages[message.name] == nil, "message \(message.name) is there twice")
                messages[message.name] = message
            }
        }
        for name in names {
            let fields = flattened(name)
            messages[name]?.byName = fields
        }
    }

    /// The message called `name`. Traps when there is none: a mistake in the tables, which a test looks for.
    subscript(_ name: String) -> SchemaMessage {
        guard let message = messages[name] else { preconditionFailure("the schema has no message \(name)") }
        return message
    }

    func contains(_ name: String) -> Bool { messages[name] != nil }

    var names: [String] { messages.keys.sorted() }

    private func flattened(_ name: String) -> [String: SchemaField] {
        var byName: [String: SchemaField] = [:]
        for field in self[name].fields {
            if field.name.isEmpty, case .message(let inner) = field.type {
                byName.merge(flattened(inner)) { own, _ in own }
            } else {
                byName[field.name] = field
            }
        }
        return byName
    }
}

extension Schema {
    /// Joins the lines of each message.
    private static func entries(_ table: String) -> [String] {
        var entries: [String] = []
        for line in table.pieces(by: "\n") {
            if line.hasPrefix(" "), let last = entries.indices.last {
                entries[last] += line
            } else {
                entries.append(String(line))
            }
        }
        return entries
    }

    private static func message(_ text: String) -> SchemaMessage {
        let parts = text.pieces(by: ":", maxSplits: 1)
        let fields = parts.count < 2 ? [] : parts[1].pieces(by: ",").compactMap(field)
        let byNumber = Dictionary(fields.map { ($0.number, $0) }) { first, _ in first }
        return SchemaMessage(name: String(parts[0]), fields: fields, byNumber: byNumber)
    }

    private static func field(_ text: Substring) -> SchemaField? {
        let words = text.pieces(by: " ").map(String.init)
        guard let number = words.first.flatMap({ Int($0) }) else { return nil }
        if words[1].hasPrefix("...") {
            return SchemaField(
                number: number, name: "", type: type(String(words[1].dropFirst(3))), keepsZero: true, merge: .replace)
        }
        precondition(words.count >= 3, "field without a type: \(text)")
        let merge: ListMerge =
            words.count == 5 && words[3] == "by" ? .byKey(words[4]) : words.last == "merged" ? .asSet : .replace
        let keepsZero = words[2].hasSuffix("?")
        let type = type(keepsZero ? String(words[2].dropLast()) : words[2])
        return SchemaField(number: number, name: words[1], type: type, keepsZero: keepsZero, merge: merge)
    }

    private static func type(_ text: String) -> SchemaType {
        if text.hasPrefix("[") { return .list(type(String(text.dropFirst().dropLast()))) }
        if text.hasPrefix("{") { return .map(type(String(text.dropFirst().dropLast()))) }
        return switch text {
        case "string": .string
        case "int": .int
        case "double": .double
        case "bool": .bool
        case "bytes": .bytes
        case "time": .time
        case "microtime": .microtime
        case "quantity": .quantity
        case "intstr": .intOrString
        case "scalar": .scalar
        case "any": .any
        default: .message(text)
        }
    }
}
