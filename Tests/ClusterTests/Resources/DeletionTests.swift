import Formats
import Testing

@testable import Cluster

@Suite struct DeletionTests {
    @Test func finalizersKeepAnObject() async throws {
        try await withStore { store, _ in
            var held = configMap("held")
            held[path: "metadata", "finalizers"] = ["example.com/hold"]
            try await store.create(.configMap, namespace: "default", held)
            let marked = try await store.delete(key("held"))
            #expect(marked.isTerminating && store.find(key("held")) != nil)
            try await store.update(key("held")) { current in
                var object = current.json
                object[path: "metadata", "finalizers"] = nil
                return object
            }
            #expect(store.find(key("held")) == nil)
        }
    }

    @Test func preconditions() async throws {
        try await withStore { store, _ in
            try await store.create(.configMap, namespace: "default", configMap("a"))
            var options = DeletionOptions()
            options.uid = "another"
            let refused = options
            #expect(await code { try await store.delete(key("a"), refused) } == .conflict)
            #expect(store.find(key("a")) != nil)
        }
    }

    @Test func runningPodsGoWhenTheirRunnerSaysSo() async throws {
        try await withStore { store, _ in
            let pod: JSON = [
                "metadata": ["name": "p"], "spec": ["containers": [["name": "main", "image": "x"]]],
            ]
            try await store.create(.pod, namespace: "default", pod)
            try await store.update(key("p", .pod)) { current in
                var object = current.json
                object[path: "spec", "nodeName"] = "slipway"
                object[path: "status", "phase"] = "Running"
                return object
            }
            let marked = try await store.delete(key("p", .pod))
            #expect(marked.metadata["deletionGracePeriodSeconds"] == 30)
            try await store.updateStatus(key("p", .pod)) { _ in ["phase": "Running", "reason": "stopping"] }
            #expect(store.find(key("p", .pod)) != nil)
            var now = DeletionOptions()
            now.gracePeriodSeconds = 0
            try await store.delete(key("p", .pod), now)
            #expect(store.find(key("p", .pod)) == nil)
        }
    }

    @Test func namespacesEmptyFirst() async throws {
        try await withStore { store, _ in
            let controllers = ResourceControllers(store: store)
            defer { controllers.stop() }
            try await store.create(.namespace, ["metadata": ["name": "doomed"]])
            try await store.create(.configMap, namespace: "doomed", configMap("a"))
            #expect(
                await eventually {
                    store.find(ResourceKey(.serviceAccount, namespace: "doomed", name: "default")) != nil
                })
            let marked = try await store.delete(ResourceKey(.namespace, name: "doomed"))
            #expect(marked.status["phase"] == "Terminating")
            let refused = await code { try await store.create(.configMap, namespace: "doomed", configMap("b")) }
            #expect(refused == .forbidden || refused == .notFound)
            #expect(await eventually { store.find(ResourceKey(.namespace, name: "doomed")) == nil })
            #expect(store.contents(ofNamespace: "doomed").isEmpty)
        }
    }

    @Test func dependentsFollowTheirOwner() async throws {
        try await withStore { store, _ in
            let controllers = ResourceControllers(store: store)
            defer { controllers.stop() }
            let owner = try await store.create(.configMap, namespace: "default", configMap("owner"))
            for name in ["one", "two"] {
                var child = configMap(name)
                child[path: "metadata", "ownerReferences"] = [owner.ownerReference]
                try await store.create(.configMap, namespace: "default", child)
            }
            #expect(store.dependents(of: owner.uid).count == 2)
            try await store.delete(key("owner"))
            #expect(await eventually { store.list(.configMap, namespace: "default").items.isEmpty })
        }
    }

    @Test func foregroundWaitsForDependentsAndOrphanFreesThem() async throws {
        try await withStore { store, _ in
            let controllers = ResourceControllers(store: store)
            defer { controllers.stop() }
            for propagation in [DeletionPropagation.foreground, .orphan] {
                let owner = try await store.create(.configMap, namespace: "default", configMap("owner"))
                var child = configMap("child")
                child[path: "metadata", "ownerReferences"] = [owner.ownerReference]
                try await store.create(.configMap, namespace: "default", child)
                var options = DeletionOptions()
                options.propagation = propagation
                #expect(try await store.delete(key("owner"), options).isTerminating)
                #expect(await eventually { store.find(key("owner")) == nil })
                #expect((store.find(key("child")) == nil) == (propagation == .foreground))
            }
            #expect(try store.get(key("child")).ownerUIDs.isEmpty)
        }
    }
}
