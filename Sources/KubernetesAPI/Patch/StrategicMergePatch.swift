// Strategic merge: like a merge patch, but lists of messages merge by the key that the schema names, and members that
// start with `$` direct the merge. Source: Kubernetes' "Update API Objects in Place Using kubectl patch" and the
// community document "strategic-merge-patch".

import Formats

/// Applies strategic merge patches and server-side apply, which merges lists by the same keys.
struct StrategicMergePatch {
    private let schema: Schema

    init(schema: Schema = .shared) { self.schema = schema }

    func apply(_ patch: JSON, to target: JSON, message: String) throws(PatchError) -> JSON {
        guard patch.objectValue != nil else { throw PatchError(.malformed, "a strategic merge patch is an object") }
        return try merge(patch, into: target, .message(message)) ?? .object(JSONObject())
    }

    /// Nil when the patch deletes the value.
    private func merge(_ patch: JSON, into target: JSON?, _ type: SchemaType) throws(PatchError) -> JSON? {
        guard let members = patch.objectValue else { return patch }
        switch members["$patch"]?.stringValue {
        case "delete": return nil
        case "replace": return try merge(members.without("$patch"), into: nil, type)
        case nil, "merge": break
        case .some(let other): throw PatchError(.malformed, "unrecognized $patch directive: \(other)")
        }
        var merged = target?.objectValue ?? JSONObject()
        if let kept = members["$retainKeys"]?.arrayValue?.compactMap(\.stringValue) {
            for key in merged.keys where !kept.contains(key) { merged[key] = nil }
        }
        for (key, value) in members where !key.hasPrefix("$") {
            if value == .null {
                merged[key] = nil
                continue
            }
            let field = field(type, key)
            switch (value, field?.type, field?.merge) {
            case (.array(let elements), .list(let element), .byKey(let mergeKey)):
                merged[key] = .array(try mergeList(elements, into: merged[key]?.arrayValue ?? [], element, mergeKey))
            case (.array(let elements), _, .asSet):
                let before = merged[key]?.arrayValue ?? []
                merged[key] = .array(before + elements.filter { !before.contains($0) })
            case (.object, let type, _): merged[key] = try merge(value, into: merged[key], type ?? .any)
            default: merged[key] = value
            }
        }
        for (key, value) in members {
            if key.hasPrefix("$deleteFromPrimitiveList/"), let gone = value.arrayValue {
                let name = String(key.dropFirst("$deleteFromPrimitiveList/".count))
                if let before = merged[name]?.arrayValue { merged[name] = .array(before.filter { !gone.contains($0) }) }
            }
        }
        for (key, value) in members where key.hasPrefix("$setElementOrder/") {
            let name = String(key.dropFirst("$setElementOrder/".count))
            guard let elements = merged[name]?.arrayValue, let order = value.arrayValue else { continue }
            var mergeKey: String?
            if case .byKey(let key) = field(type, name)?.merge { mergeKey = key }
            merged[name] = .array(Self.ordered(elements, like: order, was: target?[name]?.arrayValue ?? [], mergeKey))
        }
        return .object(merged)
    }

    private func field(_ type: SchemaType, _ name: String) -> SchemaField? {
        switch type {
        case .message(let message): schema[message].byName[name]
        case .map(let element): SchemaField(number: 0, name: name, type: element, keepsZero: true, merge: .replace)
        default: nil
        }
    }

    private func mergeList(
        _ patch: [JSON], into target: [JSON], _ element: SchemaType, _ mergeKey: String
    ) throws(PatchError) -> [JSON] {
        if patch.contains(where: { $0.objectValue?.count == 1 && $0["$patch"] == "replace" }) {
            var replaced: [JSON] = []
            for item in patch where item["$patch"] == nil {
                if let item = try merge(item, into: nil, element) { replaced.append(item) }
            }
            return replaced
        }
        var merged = target
        // Positions by key, so that long lists do not cost the square of their length.
        var positions: [MergeKey: Int] = [:]
        for (index, item) in merged.enumerated() {
            if let key = MergeKey(item[mergeKey]) { positions[key] = index }
        }
        var deleted: Set<Int> = []
        for item in patch {
            guard let key = MergeKey(item[mergeKey]) else {
                throw PatchError(
                    .malformed,
                    "map: \(String(decoding: item.encoded.prefix(200), as: UTF8.self)) does not contain "
                        + "declared merge key: \(mergeKey)"
                )
            }
            let index = positions[key]
            guard let result = try merge(item, into: index.map { merged[$0] }, element) else {
                if let index { deleted.insert(index) }
                continue
            }
            if let index {
                merged[index] = result
            } else {
                positions[key] = merged.count
                merged.append(result)
            }
        }
        return deleted.isEmpty ? merged : merged.enumerated().filter { !deleted.contains($0.offset) }.map(\.element)
    }

    /// `elements` in the order that the client wants; those it does not know keep their place among the others.
    private static func ordered(_ elements: [JSON], like order: [JSON], was before: [JSON], _ mergeKey: String?)
        -> [JSON]
    {
        func key(_ element: JSON) -> MergeKey? { MergeKey(mergeKey.map { element[$0] } ?? element) }
        func ranks(_ list: [JSON]) -> [MergeKey: Int] {
            Dictionary(list.enumerated().compactMap { index, item in key(item).map { ($0, index) } }) { first, _ in
                first
            }
        }
        let wanted = ranks(order)
        let previous = ranks(before)
        let known = elements.filter { key($0).flatMap { wanted[$0] } != nil }
            .sorted { (key($0).flatMap { wanted[$0] } ?? 0) < (key($1).flatMap { wanted[$0] } ?? 0) }
        var others = elements.filter { key($0).flatMap { wanted[$0] } == nil }[...]
        var out: [JSON] = []
        for item in known {
            let place = key(item).flatMap { previous[$0] } ?? .max
            while let other = others.first, (key(other).flatMap { previous[$0] } ?? .max) < place {
                out.append(other)
                others.removeFirst()
            }
            out.append(item)
        }
        return out + others
    }
}

extension JSONObject {
    func without(_ key: String) -> JSON {
        var copy = self
        copy[key] = nil
        return .object(copy)
    }
}

/// A scalar as the key of a list's element.
enum MergeKey: Hashable {
    case text(String)
    case number(Int64)

    init?(_ value: JSON?) {
        switch value {
        case .string(let text): self = .text(text)
        case .int(let number): self = .number(number)
        default: return nil
        }
    }
}
