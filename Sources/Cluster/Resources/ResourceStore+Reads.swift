import Synchronization

/// Objects of one kind at one version of the store.
package struct ResourceList: Sendable {
    /// By namespace, then name.
    package let items: [Resource]
    /// A watch from here on misses nothing.
    package let version: UInt64
}

extension ResourceStore {
    /// The object, or nil.
    package func find(_ key: ResourceKey) -> Resource? { state.withLock { $0.committed(key) } }

    /// The object; throws `.notFound`.
    package func get(_ key: ResourceKey) throws(ClusterError) -> Resource {
        guard let resource = find(key) else { throw .notFound(key.kind, key.name) }
        return resource
    }

    /// The objects of `kind` that match, in `namespace` or, when that is nil, in all of them.
    package func list(
        _ kind: ResourceKind, namespace: String? = nil, labels: LabelSelector = LabelSelector(),
        fields: FieldSelector = FieldSelector()
    ) -> ResourceList {
        let (found, version) = state.withLock {
            ($0.select(kind, namespace, name: fields.exactName), $0.committedVersion)
        }
        // Matching and sorting run outside the lock: resources are immutable.
        var items = found
        if !labels.requirements.isEmpty { items = items.filter { labels.matches($0.labels) } }
        if !fields.requirements.isEmpty { items = items.filter { fields.matches($0.json) } }
        items.sort { ($0.namespace, $0.name) < ($1.namespace, $1.name) }
        return ResourceList(items: items, version: version)
    }

    /// How many objects of `kind` there are.
    package func count(_ kind: ResourceKind) -> Int { state.withLock { $0.counts[kind] ?? 0 } }

    /// The objects that name `uid` as an owner.
    package func dependents(of uid: String) -> [Resource] {
        state.withLock { state in (state.dependents[uid] ?? []).compactMap { state.committed($0) } }
    }

    /// The objects in `namespace`, of every kind.
    package func contents(ofNamespace namespace: String) -> [Resource] {
        state.withLock { state in
            kinds.flatMap { $0.isNamespaced ? state.select($0, namespace, name: nil) : [] }
        }
    }
}

extension ResourceState {
    func select(_ kind: ResourceKind, _ namespace: String?, name: String?) -> [Resource] {
        guard let namespaces = objects[kind] else { return [] }
        if let namespace = kind.isNamespaced ? namespace : "" {
            guard let objects = namespaces[namespace] else { return [] }
            return name.map { objects[$0].map { [$0] } ?? [] } ?? Array(objects.values)
        }
        return namespaces.values.flatMap { objects in
            name.map { objects[$0].map { [$0] } ?? [] } ?? Array(objects.values)
        }
    }
}
