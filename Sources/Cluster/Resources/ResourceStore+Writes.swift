// Creating, changing and deleting objects: the rules that hold for every kind, whoever writes.

import Bytes
import Clock
package import Formats
import Synchronization

extension ResourceStore {
    /// Stores a new object and returns it as stored: with name, uid, creation time, version and generation.
    ///
    /// `metadata.generateName` gets five characters appended when there is no name. `dryRun` checks everything and
    /// stores nothing. Throws `.alreadyExists`, `.invalid`, `.notFound` (the namespace), `.forbidden` (it is
    /// terminating), `.limitReached`, `.unavailable`.
    @discardableResult
    package func create(
        _ kind: ResourceKind, namespace: String = "", _ object: JSON, dryRun: Bool = false
    ) async throws -> Resource {
        var object = object
        let name = try Self.name(of: object, kind)
        let key = ResourceKey(kind, namespace: namespace, name: name)
        object["apiVersion"] = .string(kind.apiVersion)
        object["kind"] = .string(kind.kind)
        object[path: "metadata", "name"] = .string(name)
        object[path: "metadata", "namespace"] = kind.isNamespaced ? .string(namespace) : nil
        object[path: "metadata", "uid"] = .string(Randomness.uuid())
        object[path: "metadata", "creationTimestamp"] = .string(WallTime.now.iso8601())
        object[path: "metadata", "deletionTimestamp"] = nil
        object[path: "metadata", "deletionGracePeriodSeconds"] = nil
        object[path: "metadata", "selfLink"] = nil
        object[path: "metadata", "generation"] = kind.countsGenerations ? 1 : nil
        ResourceDefaults.apply(kind, &object)
        if kind == .service { try network?.prepare(service: &object, dryRun: dryRun) }
        let causes = ObjectMetadataRules.causes(object, kind, name: name) + ResourceRules.causes(kind, object)
        guard causes.isEmpty else { throw ClusterError.invalid(kind, name, causes) }

        return try await commit { state in
            try state.checkNamespace(of: key)
            guard state.latest(key) == nil else { throw ClusterError.alreadyExists(kind, name) }
            guard state.counts[kind, default: 0] + state.batch.events.count < limits.objectsPerKindMax else {
                throw ClusterError(
                    .limitReached, "there are \(limits.objectsPerKindMax) \(kind.qualifiedPlural) already; delete some")
            }
            guard !dryRun else {
                var shown = object
                shown[path: "metadata", "resourceVersion"] = nil
                return .nothingToDo(Resource(key: key, json: shown, version: 0))
            }
            return .change(ResourceEvent(change: .added, resource: state.versioned(key, object), previous: nil))
        }
    }

    /// Changes an object and returns it as stored. `transform` gets the newest state and may run more than once.
    ///
    /// `metadata` that the store owns (uid, times, version, generation) is kept whatever `transform` returns, and
    /// removing the last finalizer of a terminating object deletes it. When `expecting` is given and is not the
    /// object's version, or the object that `transform` returns carries another `resourceVersion` or `uid`, this throws
    /// `.conflict`.
    @discardableResult
    package func update(
        _ key: ResourceKey, expecting version: UInt64? = nil, dryRun: Bool = false,
        _ transform: (Resource) throws -> JSON
    ) async throws -> Resource {
        // A change is computed outside the lock and accepted only if nothing came between; then it is computed again.
        for _ in 0..<64 {
            guard let current = state.withLock({ $0.latest(key) }) else {
                throw ClusterError.notFound(key.kind, key.name)
            }
            if let version, version != current.version {
                throw ClusterError.conflict(key.kind, key.name, ClusterError.staleVersion)
            }
            let object = try Self.merged(try transform(current), into: current)
            if object == current.json { return try await commit { _ in .nothingToDo(current) } }
            let causes =
                ObjectMetadataRules.causes(object, key.kind, name: key.name)
                + ResourceRules.causes(key.kind, object, previous: current.json)
            guard causes.isEmpty else { throw ClusterError.invalid(key.kind, key.name, causes) }
            do {
                return try await commit { state in
                    guard let latest = state.latest(key) else { throw ClusterError.notFound(key.kind, key.name) }
                    guard latest === current else { throw Superseded() }
                    if dryRun { return .nothingToDo(Resource(key: key, json: object, version: current.version)) }
                    let next = state.versioned(key, object)
                    let isGone = next.isTerminating && next.finalizers.isEmpty && !state.staysWhileTerminating(next)
                    return .change(
                        ResourceEvent(change: isGone ? .deleted : .modified, resource: next, previous: current))
                }
            } catch is Superseded {
                continue
            }
        }
        throw ClusterError.conflict(key.kind, key.name, ClusterError.staleVersion)
    }

    /// Changes `status` alone.
    @discardableResult
    package func updateStatus(_ key: ResourceKey, _ transform: (Resource) throws -> JSON) async throws -> Resource {
        try await update(key) { current in
            var object = current.json
            object["status"] = try transform(current)
            return object
        }
    }

    private struct Superseded: Error {}

    private static func name(of object: JSON, _ kind: ResourceKind) throws(ClusterError) -> String {
        if let name = object[path: "metadata", "name"]?.stringValue, !name.isEmpty { return name }
        if let prefix = object[path: "metadata", "generateName"]?.stringValue, !prefix.isEmpty {
            let lengthMax = kind.nameRule == .label ? 63 : 253
            return String(prefix.prefix(lengthMax - 5)) + Randomness.nameSuffix(5)
        }
        throw .invalid(kind, "", [.required("metadata.name", "name or generateName is required")])
    }

    /// `object` with what the store owns taken from `current`.
    private static func merged(_ object: JSON, into current: Resource) throws(ClusterError) -> JSON {
        let key = current.key
        let metadata = object["metadata"] ?? [:]
        if let version = metadata["resourceVersion"]?.stringValue, !version.isEmpty, version != String(current.version)
        {
            throw .conflict(key.kind, key.name, ClusterError.staleVersion)
        }
        if let uid = metadata["uid"]?.stringValue, !uid.isEmpty, uid != current.uid {
            throw .conflict(
                key.kind, key.name,
                "Precondition failed: UID in precondition: \(uid), UID in object meta: \(current.uid)")
        }
        var merged = object
        if key.kind == .secret { ResourceDefaults.foldStringData(&merged) }
        if key.kind == .service { ResourceDefaults.keepAddress(&merged, current.json) }
        merged["apiVersion"] = .string(key.kind.apiVersion)
        merged["kind"] = .string(key.kind.kind)
        for field in [
            "name", "namespace", "uid", "creationTimestamp", "deletionTimestamp", "deletionGracePeriodSeconds",
            "generateName", "resourceVersion", "generation",
        ] {
            merged[path: "metadata", field] = current.metadata[field]
        }
        if key.kind.countsGenerations, differsBesidesStatus(merged, current.json) {
            merged[path: "metadata", "generation"] = .int((current.metadata["generation"]?.intValue ?? 0) + 1)
        }
        return merged
    }

    private static func differsBesidesStatus(_ left: JSON, _ right: JSON) -> Bool {
        func content(_ object: JSON) -> JSON {
            var content = object
            content["metadata"] = nil
            content["status"] = nil
            return content
        }
        return content(left) != content(right)
    }
}

extension ResourceState {
    /// `object` under the next version.
    mutating func versioned(_ key: ResourceKey, _ object: JSON) -> Resource {
        assignedVersion += 1
        var object = object
        object[path: "metadata", "resourceVersion"] = .string(String(assignedVersion))
        return Resource(key: key, json: object, version: assignedVersion)
    }

    /// New content needs a namespace that exists and is not going away.
    func checkNamespace(of key: ResourceKey) throws(ClusterError) {
        guard key.kind.isNamespaced else { return }
        guard let namespace = latest(ResourceKey(.namespace, name: key.namespace)) else {
            throw .notFound(.namespace, key.namespace)
        }
        guard !namespace.isTerminating else {
            throw .forbidden(
                key.kind, key.name,
                "unable to create new content in namespace \(key.namespace) because it is being terminated")
        }
    }

    /// A namespace goes when its content has gone, a pod when its processes have: a controller says when.
    func staysWhileTerminating(_ resource: Resource) -> Bool {
        if resource.kind == .namespace { return !(resource.spec["finalizers"]?.arrayValue ?? []).isEmpty }
        return resource.kind.deletesGracefully && (resource.metadata["deletionGracePeriodSeconds"]?.intValue ?? 0) > 0
    }
}
