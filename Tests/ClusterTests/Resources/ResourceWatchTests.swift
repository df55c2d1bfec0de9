import Formats
import Testing

@testable import Cluster

@Suite struct ResourceWatchTests {
    @Test func nothingIsMissedBetweenListAndWatch() async throws {
        try await withStore { store, _ in
            try await store.create(.configMap, namespace: "default", configMap("before"))
            let (list, watch) = try store.listAndWatch([.configMap])
            #expect(list.items.map(\.name) == ["before"])
            try await store.create(.configMap, namespace: "default", configMap("after"))
            try await store.delete(key("before"))
            var seen: [String] = []
            while seen.count < 2 { seen += try await watch.next().map { "\($0.change) \($0.resource.name)" } }
            #expect(seen == ["added after", "deleted before"])
        }
    }

    @Test func selectorsTurnChangesIntoComingAndGoing() async throws {
        try await withStore { store, _ in
            let (_, watch) = try store.listAndWatch([.configMap], labels: LabelSelector(labels: ["on": "yes"]))
            try await store.create(.configMap, namespace: "default", configMap("x", labels: ["on": "no"]))
            for value in ["yes", "yes2", "no"] {
                try await store.update(key("x")) { current in
                    var object = current.json
                    object[path: "metadata", "labels", "on"] = .string(value == "yes2" ? "yes" : value)
                    object[path: "data", "a"] = .string(value)
                    return object
                }
            }
            var seen: [ResourceEvent.Change] = []
            while seen.count < 3 { seen += try await watch.next().map(\.change) }
            #expect(seen == [.added, .modified, .deleted])
        }
    }

    @Test func resumesAndExpires() async throws {
        var limits = ResourceStoreLimits()
        limits.historyCountMax = 10
        try await withStore(limits: limits) { store, _ in
            let start = store.version
            try await store.create(.configMap, namespace: "default", configMap("a"))
            let resumed = try store.watch([.configMap], after: start)
            #expect(try await resumed.next().map(\.resource.name) == ["a"])
            for index in 0..<20 { try await store.create(.configMap, namespace: "default", configMap("b\(index)")) }
            #expect(await code { _ = try store.watch([.configMap], after: start) } == .expired)
            #expect(await code { _ = try await resumed.next() } == .expired)
        }
    }

    @Test func aQuietWatchKeepsUp() async throws {
        var limits = ResourceStoreLimits()
        limits.historyCountMax = 10
        try await withStore(limits: limits) { store, _ in
            let (_, quiet) = try store.listAndWatch([.secret])
            for index in 0..<50 { try await store.create(.configMap, namespace: "default", configMap("b\(index)")) }
            try await store.create(.secret, namespace: "default", ["metadata": ["name": "s"]])
            #expect(try await quiet.next().map(\.resource.name) == ["s"])
        }
    }

    @Test func timesOutAndIsCancelled() async throws {
        try await withStore { store, _ in
            let (_, watch) = try store.listAndWatch([.configMap])
            #expect(try await watch.next(timeoutMilliseconds: 50).isEmpty)
            let task = Task { try await watch.next() }
            try await Task.sleep(nanoseconds: 20_000_000)
            task.cancel()
            await #expect(throws: CancellationError.self) { try await task.value }
        }
    }

    @Test func watchesAreCountedAndForgotten() async throws {
        var limits = ResourceStoreLimits()
        limits.watchCountMax = 1
        try await withStore(limits: limits) { store, _ in
            do {
                let (_, watch) = try store.listAndWatch([.pod])
                #expect(store.watchCount == 1)
                #expect(await code { _ = try store.listAndWatch([.pod]) } == .limitReached)
                withExtendedLifetime(watch) {}
            }
            #expect(store.watchCount == 0)
        }
    }
}
