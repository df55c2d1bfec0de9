package import Formats

/// Names one object of the cluster.
package struct ResourceKey: Sendable, Hashable, CustomStringConvertible {
    package let kind: ResourceKind
    /// Empty for cluster-scoped kinds.
    package let namespace: String
    package let name: String

    package init(_ kind: ResourceKind, namespace: String = "", name: String) {
        self.kind = kind
        self.namespace = kind.isNamespaced ? namespace : ""
        self.name = name
    }

    package var description: String {
        namespace.isEmpty ? "\(kind.qualifiedPlural)/\(name)" : "\(kind.qualifiedPlural)/\(namespace)/\(name)"
    }
}

/// One version of an object, as it was committed. Immutable and shared: by the store, its history and every reader.
package final class Resource: Sendable {
    package let key: ResourceKey
    /// The whole object, with `apiVersion`, `kind` and `metadata`.
    package let json: JSON
    /// `json` as compact text.
    package let encoded: [UInt8]
    /// The number behind `metadata.resourceVersion`; 0 for an object that was not stored (dry run).
    package let version: UInt64
    package let labels: [String: String]

    package init(key: ResourceKey, json: JSON, version: UInt64) {
        self.key = key
        self.json = json
        self.version = version
        encoded = json.encoded
        labels = json[path: "metadata", "labels"]?.stringMap ?? [:]
    }

    package var kind: ResourceKind { key.kind }
    package var name: String { key.name }
    package var namespace: String { key.namespace }
    package var metadata: JSON { json["metadata"] ?? [:] }
    package var spec: JSON { json["spec"] ?? [:] }
    package var status: JSON { json["status"] ?? [:] }
    package var uid: String { metadata["uid"]?.stringValue ?? "" }
    package var annotations: [String: String] { metadata["annotations"]?.stringMap ?? [:] }
    package var isTerminating: Bool { metadata["deletionTimestamp"] != nil }
    package var finalizers: [String] { (metadata["finalizers"]?.arrayValue ?? []).compactMap(\.stringValue) }

    /// The uids of the objects this one belongs to.
    package var ownerUIDs: [String] {
        (metadata["ownerReferences"]?.arrayValue ?? []).compactMap { $0["uid"]?.stringValue }
    }

    /// An entry for another object's `metadata.ownerReferences` that makes this one its controller.
    package var ownerReference: JSON {
        [
            "apiVersion": .string(kind.apiVersion), "kind": .string(kind.kind), "name": .string(name),
            "uid": .string(uid), "controller": true, "blockOwnerDeletion": true,
        ]
    }
}
