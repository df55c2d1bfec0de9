// Which fields a manager applied: the tree that `metadata.managedFields[].fieldsV1` shows. With it a later apply knows
// what it may take away (what it set before and leaves out now) and where two managers want different things.
// Only appliers own fields here; plain updates take nothing over.

import Formats

/// A set of fields as a tree: `f:NAME` is a member, `k:{...}` an element of a list by its key, `v:...` one of a set.
struct OwnedFields: Equatable {
    private(set) var children: [String: OwnedFields] = [:]

    var isLeaf: Bool { children.isEmpty }

    init() {}

    /// The fields that `object`, a message called `name`, sets. `mergesLists` is false for custom resources, whose
    /// lists are owned whole.
    init(of object: JSON, as name: String, mergesLists: Bool, schema: Schema = .shared) {
        self.init(object, .message(name), mergesLists, schema)
        children["f:apiVersion"] = nil
        children["f:kind"] = nil
        for field in ["name", "namespace", "generateName"] { children["f:metadata"]?.children["f:\(field)"] = nil }
        if children["f:metadata"]?.isLeaf == true { children["f:metadata"] = nil }
    }

    private init(_ value: JSON, _ type: SchemaType, _ mergesLists: Bool, _ schema: Schema, merge: ListMerge = .replace)
    {
        switch value {
        case .object(let members):
            for (key, member) in members {
                var memberType = SchemaType.any
                var memberMerge = ListMerge.replace
                switch type {
                case .message(let name):
                    memberType = schema[name].byName[key]?.type ?? .any
                    memberMerge = schema[name].byName[key]?.merge ?? .replace
                case .map(let element): memberType = element
                default: break
                }
                children["f:\(key)"] = OwnedFields(member, memberType, mergesLists, schema, merge: memberMerge)
            }
        case .array(let elements) where mergesLists:
            if case .byKey(let key) = merge, case .list(let element) = type {
                for item in elements {
                    guard let value = item[key] else { continue }
                    children[Self.keyed(key, value)] = OwnedFields(item, element, mergesLists, schema)
                }
            } else if merge == .asSet {
                for item in elements { children["v:\(String(decoding: item.encoded, as: UTF8.self))"] = OwnedFields() }
            }
        default: break
        }
    }

    private static func keyed(_ key: String, _ value: JSON) -> String {
        let object: JSON = .object(JSONObject()).setting(key, value)
        return "k:\(String(decoding: object.encoded, as: UTF8.self))"
    }

    /// Reads the tree from `fieldsV1`.
    init(fieldsV1: JSON, depth: Int = 0) {
        guard depth < 64 else { return }
        for (key, value) in fieldsV1.objectValue ?? JSONObject() where key != "." {
            children[key] = OwnedFields(fieldsV1: value, depth: depth + 1)
        }
    }

    var fieldsV1: JSON {
        var members = JSONObject()
        for key in children.keys.sorted() { members[key] = children[key]?.fieldsV1 }
        return .object(members)
    }

    /// `live` without the fields that are in this set and in none of `kept`.
    func removed(from live: JSON, keeping kept: [OwnedFields]) -> JSON {
        var live = live
        for (name, fields) in children {
            let others = kept.compactMap { $0.children[name] }
            let isDropped = others.isEmpty
            switch name.prefix(2) {
            case "f:":
                let key = String(name.dropFirst(2))
                guard let value = live[key] else { continue }
                if fields.isLeaf {
                    if isDropped { live[key] = nil }
                    continue
                }
                let rest = fields.removed(from: value, keeping: others)
                live[key] = isDropped && Self.isEmpty(rest) ? nil : rest
            case "k:", "v:":
                guard case .array(var elements) = live, let index = Self.index(of: name, in: elements) else { continue }
                if isDropped {
                    elements.remove(at: index)
                } else {
                    elements[index] = fields.removed(from: elements[index], keeping: others)
                }
                live = .array(elements)
            default: continue
            }
        }
        return live
    }

    private static func isEmpty(_ value: JSON) -> Bool { value == .object(JSONObject()) || value == .array([]) }

    private static func index(of name: String, in elements: [JSON]) -> Int? {
        guard let wanted = try? JSON.parse(Array(name.dropFirst(2).utf8)) else { return nil }
        if name.hasPrefix("v:") { return elements.firstIndex(of: wanted) }
        guard let key = wanted.objectValue?.keys.first else { return nil }
        return elements.firstIndex { $0[key] == wanted[key] }
    }

    /// The paths of leaves in both sets where `applied` and `live` differ, `.spec.replicas`.
    func conflicts(with other: OwnedFields, applied: JSON, live: JSON, path: String = "") -> [String] {
        var found: [String] = []
        for (name, fields) in children {
            guard let owned = other.children[name] else { continue }
            let step: String
            let values: (JSON?, JSON?)
            switch name.prefix(2) {
            case "f:":
                let key = String(name.dropFirst(2))
                step = ".\(key)"
                values = (applied[key], live[key])
            default:
                func element(_ list: JSON) -> JSON? {
                    Self.index(of: name, in: list.arrayValue ?? []).flatMap { list[$0] }
                }
                step =
                    "[\(name.dropFirst(2).filter { $0 != "{" && $0 != "}" && $0 != "\"" }.replacing(":", with: "="))]"
                values = (element(applied), element(live))
            }
            guard let wanted = values.0, let present = values.1 else { continue }
            if fields.isLeaf || owned.isLeaf {
                if wanted != present { found.append(path + step) }
            } else {
                found += fields.conflicts(with: owned, applied: wanted, live: present, path: path + step)
            }
        }
        return found.sorted()
    }

    /// This set without the leaves of `other`.
    func subtracting(_ other: OwnedFields) -> OwnedFields {
        var rest = self
        for (name, fields) in children {
            guard let taken = other.children[name] else { continue }
            if fields.isLeaf || taken.isLeaf {
                rest.children[name] = nil
            } else {
                let left = fields.subtracting(taken)
                rest.children[name] = left.isLeaf ? nil : left
            }
        }
        return rest
    }
}

extension JSON {
    fileprivate func setting(_ key: String, _ value: JSON) -> JSON {
        var copy = self
        copy[key] = value
        return copy
    }
}
