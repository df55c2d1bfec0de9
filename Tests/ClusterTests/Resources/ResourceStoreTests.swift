import Formats
import Testing

@testable import Cluster

@Suite struct ResourceStoreTests {
    @Test func createsWithIdentity() async throws {
        try await withStore { store, _ in
            let made = try await store.create(.configMap, namespace: "default", configMap("a"))
            #expect(made.uid.count == 36)
            #expect(made.metadata["creationTimestamp"]?.stringValue?.hasSuffix("Z") == true)
            #expect(made.metadata["resourceVersion"]?.stringValue == String(made.version))
            #expect(made.json["apiVersion"] == "v1" && made.json["kind"] == "ConfigMap")
            #expect(try store.get(key("a")).json == made.json)
            #expect(
                await code { try await store.create(.configMap, namespace: "default", configMap("a")) }
                    == .alreadyExists)
            #expect(await code { try await store.create(.configMap, namespace: "none", configMap("a")) } == .notFound)
            #expect(
                await code { try await store.create(.configMap, namespace: "default", configMap("A_b")) } == .invalid)
            #expect(
                await code { try await store.create(.configMap, namespace: "default", ["metadata": [:]]) } == .invalid)
        }
    }

    @Test func generatesNames() async throws {
        try await withStore { store, _ in
            let one = try await store.create(.configMap, namespace: "default", ["metadata": ["generateName": "x-"]])
            let two = try await store.create(.configMap, namespace: "default", ["metadata": ["generateName": "x-"]])
            #expect(one.name != two.name && one.name.count == 7 && one.name.hasPrefix("x-"))
        }
    }

    @Test func dryRunStoresNothing() async throws {
        try await withStore { store, _ in
            let shown = try await store.create(.configMap, namespace: "default", configMap("a"), dryRun: true)
            #expect(shown.metadata["uid"] != nil && shown.metadata["resourceVersion"] == nil)
            #expect(store.find(key("a")) == nil)
        }
    }

    @Test func updatesOptimistically() async throws {
        try await withStore { store, _ in
            let first = try await store.create(.configMap, namespace: "default", configMap("a"))
            let second = try await store.update(key("a")) { current in
                var object = current.json
                object[path: "data", "a"] = "2"
                object[path: "metadata", "uid"] = "kept anyway" == "" ? nil : object[path: "metadata", "uid"]
                return object
            }
            #expect(second.version > first.version && second.uid == first.uid)
            let stale = await code { try await store.update(key("a")) { _ in first.json } }
            #expect(stale == .conflict)
            #expect(await code { try await store.update(key("a"), expecting: first.version) { $0.json } } == .conflict)
            let same = try await store.update(key("a")) { $0.json }
            #expect(same.version == second.version, "an update that changes nothing makes no version")
        }
    }

    @Test func countsGenerationsOfSpecOnly() async throws {
        try await withStore { store, _ in
            let flow: JSON = ["metadata": ["name": "w"], "spec": ["entrypoint": "a"]]
            let made = try await store.create(.workflow, namespace: "default", flow)
            #expect(made.metadata["generation"] == 1)
            let withStatus = try await store.updateStatus(key("w", .workflow)) { _ in ["phase": "Running"] }
            #expect(withStatus.metadata["generation"] == 1)
            let changed = try await store.update(key("w", .workflow)) { current in
                var object = current.json
                object[path: "spec", "entrypoint"] = "b"
                return object
            }
            #expect(changed.metadata["generation"] == 2 && changed.status["phase"] == "Running")
        }
    }

    @Test func manyWritersEachSucceed() async throws {
        try await withStore { store, _ in
            try await store.create(.configMap, namespace: "default", configMap("counter", ["n": "0"]))
            try await withThrowingTaskGroup(of: Void.self) { group in
                for _ in 0..<50 {
                    group.addTask {
                        try await store.update(key("counter")) { current in
                            var object = current.json
                            let count = Int(object[path: "data", "n"]?.stringValue ?? "") ?? 0
                            object[path: "data", "n"] = .string(String(count + 1))
                            return object
                        }
                    }
                }
                try await group.waitForAll()
            }
            #expect(try store.get(key("counter")).json[path: "data", "n"] == "50")
        }
    }

    @Test func survivesRestart() async throws {
        try await withStore { store, temporary in
            let made = try await store.create(.configMap, namespace: "default", configMap("kept"))
            try await store.create(.configMap, namespace: "default", configMap("gone"))
            try await store.delete(key("gone"))
            let again = try await temporary.reopened()
            #expect(again.find(key("kept"))?.json == made.json)
            #expect(again.find(key("gone")) == nil)
            #expect(again.version == store.version, "a deletion's version is not given twice")
        }
    }

    @Test func selects() async throws {
        try await withStore { store, _ in
            try await store.create(.configMap, namespace: "default", configMap("b", labels: ["app": "x"]))
            try await store.create(.configMap, namespace: "default", configMap("a", labels: ["app": "y"]))
            let all = store.list(.configMap, namespace: "default").items.map(\.name)
            #expect(all == ["a", "b"])
            let labelled = store.list(.configMap, labels: LabelSelector(labels: ["app": "x"])).items.map(\.name)
            #expect(labelled == ["b"])
            #expect(store.list(.configMap, fields: FieldSelector(name: "a")).items.map(\.name) == ["a"])
            #expect(store.list(.configMap, namespace: "other").items.isEmpty)
        }
    }

    @Test func boundsObjects() async throws {
        var limits = ResourceStoreLimits()
        limits.objectsPerKindMax = 2
        try await withStore(limits: limits) { store, _ in
            try await store.create(.configMap, namespace: "default", configMap("a"))
            try await store.create(.configMap, namespace: "default", configMap("b"))
            #expect(
                await code { try await store.create(.configMap, namespace: "default", configMap("c")) } == .limitReached
            )
        }
    }

    @Test func secretsTakeTextAndKeepBase64() async throws {
        try await withStore { store, _ in
            let secret: JSON = ["metadata": ["name": "s"], "stringData": ["user": "me"]]
            let made = try await store.create(.secret, namespace: "default", secret)
            #expect(made.json["data"] == ["user": "bWU="] && made.json["stringData"] == nil)
            let bad: JSON = ["metadata": ["name": "t"], "data": ["x": "not base64!"]]
            #expect(await code { try await store.create(.secret, namespace: "default", bad) } == .invalid)
        }
    }
}
