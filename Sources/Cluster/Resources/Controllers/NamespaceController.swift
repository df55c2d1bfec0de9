import Formats

/// Gives a new namespace its default service account, and empties one that is being deleted before it lets it go.
package struct NamespaceController: Sendable {
    private let store: ResourceStore

    package init(store: ResourceStore) { self.store = store }

    /// Runs until the task is cancelled.
    package func run() async {
        await ControllerLoop.run(
            "namespaces", store, [.namespace], idleMilliseconds: 200,
            idle: {
                for namespace in store.list(.namespace).items where namespace.isTerminating { await finish(namespace) }
            },
            handle: { event in
                guard event.change != .deleted else { return }
                if event.resource.isTerminating { await finish(event.resource) } else { await furnish(event.resource) }
            })
    }

    private func furnish(_ namespace: Resource) async {
        guard store.find(ResourceKey(.serviceAccount, namespace: namespace.name, name: "default")) == nil else {
            return
        }
        await ControllerLoop.attempt("namespaces") {
            do {
                try await store.create(.serviceAccount, namespace: namespace.name, ["metadata": ["name": "default"]])
            } catch let error as ClusterError where error.code == .alreadyExists || error.code == .forbidden {
                return
            }
        }
    }

    /// Deletes what is left; once nothing is, removes the namespace.
    private func finish(_ namespace: Resource) async {
        let contents = store.contents(ofNamespace: namespace.name)
        for resource in contents where !resource.isTerminating {
            await ControllerLoop.attempt("namespaces") { try await store.delete(resource.key) }
        }
        guard store.contents(ofNamespace: namespace.name).isEmpty else { return }
        await ControllerLoop.attempt("namespaces") {
            try await store.update(namespace.key) { current in
                var object = current.json
                object[path: "spec", "finalizers"] = nil
                return object
            }
        }
    }
}
