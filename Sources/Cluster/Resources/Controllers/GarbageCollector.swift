// Deletes what belonged to a deleted object. A dependent goes when none of its owners is left; one with another owner
// only loses the reference. After a crash the first listing finds dependents whose owner went just before.

import Clock
import Formats
import Synchronization

/// Follows every kind and keeps `metadata.ownerReferences` true.
package final class GarbageCollector: Sendable {
    private let store: ResourceStore
    /// When a step failed first since everything was looked at; nil when none has.
    private let failure = Mutex<WallTime?>(nil)
    private static let retrySeconds: Int64 = 10

    package init(store: ResourceStore) { self.store = store }

    /// Runs until the task is cancelled.
    package func run() async {
        await ControllerLoop.run(
            "garbage", store, store.kinds, idleMilliseconds: 1000, idle: { await retry() },
            handle: { event in
                let resource = event.resource
                switch event.change {
                case .deleted:
                    for dependent in store.dependents(of: resource.uid) { await collect(dependent) }
                    await releaseOwners(of: resource)
                case .added where !resource.ownerUIDs.isEmpty: await collect(resource)
                case .added, .modified: break
                }
                if event.change != .deleted, resource.isTerminating { await prepareDeletion(resource) }
                await retry()
            })
    }

    private func attempt(_ step: () async throws -> Void) async {
        if await ControllerLoop.attempt("garbage", step) { return }
        failure.withLock { $0 = $0 ?? .now }
    }

    /// Takes up again, a while later, what a full disk has kept from being written: no event would come for it.
    private func retry() async {
        let isDue = failure.withLock { failure in
            guard let first = failure, .now >= first.advanced(seconds: Self.retrySeconds) else { return false }
            failure = nil
            return true
        }
        guard isDue else { return }
        for kind in store.kinds {
            for resource in store.list(kind).items {
                if resource.isTerminating {
                    await prepareDeletion(resource)
                } else if !resource.ownerUIDs.isEmpty {
                    await collect(resource)
                }
            }
        }
    }

    /// Deletes `dependent` when it has owners and none exists any more.
    private func collect(_ dependent: Resource) async {
        let owners = dependent.metadata["ownerReferences"]?.arrayValue ?? []
        guard !owners.isEmpty, !dependent.isTerminating else { return }
        let living = owners.filter { exists($0, namespace: dependent.namespace) }
        guard living.count < owners.count else { return }
        await attempt {
            if living.isEmpty {
                try await store.delete(dependent.key, Self.only(dependent))
            } else {
                try await store.update(dependent.key) { current in
                    var object = current.json
                    object[path: "metadata", "ownerReferences"] = .array(
                        (current.metadata["ownerReferences"]?.arrayValue ?? []).filter {
                            exists($0, namespace: current.namespace)
                        })
                    return object
                }
            }
        }
    }

    /// Owners of a kind that is not served are taken to exist: nothing is deleted on a guess.
    private func exists(_ owner: JSON, namespace: String) -> Bool {
        guard let key = key(of: owner, namespace: namespace) else { return true }
        return store.find(key)?.uid == owner["uid"]?.stringValue
    }

    private func key(of owner: JSON, namespace: String) -> ResourceKey? {
        store.kinds.first {
            $0.apiVersion == owner["apiVersion"]?.stringValue && $0.kind == owner["kind"]?.stringValue
        }.map { ResourceKey($0, namespace: namespace, name: owner["name"]?.stringValue ?? "") }
    }

    /// Does what the deletion of an owner waits for: its dependents gone (foreground) or set free (orphan).
    private func prepareDeletion(_ owner: Resource) async {
        if owner.finalizers.contains(ResourceStore.orphanFinalizer) {
            for dependent in store.dependents(of: owner.uid) {
                await attempt {
                    try await store.update(dependent.key) { current in
                        var object = current.json
                        let rest = (current.metadata["ownerReferences"]?.arrayValue ?? []).filter {
                            $0["uid"]?.stringValue != owner.uid
                        }
                        object[path: "metadata", "ownerReferences"] = rest.isEmpty ? nil : .array(rest)
                        return object
                    }
                }
            }
            await removeFinalizer(ResourceStore.orphanFinalizer, of: owner)
        } else if owner.finalizers.contains(ResourceStore.foregroundFinalizer) {
            let dependents = store.dependents(of: owner.uid)
            for dependent in dependents where !dependent.isTerminating {
                await attempt { try await self.store.delete(dependent.key, Self.only(dependent)) }
            }
            if store.dependents(of: owner.uid).isEmpty {
                await removeFinalizer(ResourceStore.foregroundFinalizer, of: owner)
            }
        }
    }

    /// A dependent is gone: an owner that is deleted in the foreground may go when it was the last.
    private func releaseOwners(of dependent: Resource) async {
        for reference in dependent.metadata["ownerReferences"]?.arrayValue ?? [] {
            guard let owner = key(of: reference, namespace: dependent.namespace).flatMap(store.find),
                owner.isTerminating,
                owner.uid == reference["uid"]?.stringValue, store.dependents(of: owner.uid).isEmpty
            else { continue }
            await removeFinalizer(ResourceStore.foregroundFinalizer, of: owner)
        }
    }

    /// This object, not one that has got its name since.
    private static func only(_ resource: Resource) -> DeletionOptions {
        var options = DeletionOptions()
        options.uid = resource.uid
        return options
    }

    private func removeFinalizer(_ finalizer: String, of resource: Resource) async {
        await attempt {
            try await store.update(resource.key) { current in
                guard current.uid == resource.uid else {
                    throw ClusterError(.conflict, "another object has the name now")
                }
                var object = current.json
                let rest = current.finalizers.filter { $0 != finalizer }
                object[path: "metadata", "finalizers"] = rest.isEmpty ? nil : .array(rest.map(JSON.string))
                return object
            }
        }
    }
}
