import Bytes
import Database
import Formats
import Foundation

@testable import Cluster

/// A store in a folder of its own, with the namespace `default`.
struct TemporaryStore {
    let folder: URL
    let database: Database
    let store: ResourceStore

    init(limits: ResourceStoreLimits = ResourceStoreLimits()) async throws {
        folder = FileManager.default.temporaryDirectory.appending(path: "cluster-\(Randomness.hexID())")
        try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
        database = try Database(path: folder.path + "/cluster.db", migrations: ResourceStore.migrations)
        store = try await ResourceStore.open(database: database, limits: limits)
        try await store.create(.namespace, ["metadata": ["name": "default"]])
    }

    /// A second store on the same file, as after a restart.
    func reopened() async throws -> ResourceStore {
        await database.close()
        let again = try Database(path: folder.path + "/cluster.db", migrations: ResourceStore.migrations)
        return try await ResourceStore.open(database: again)
    }

    func remove() async {
        await database.close()
        try? FileManager.default.removeItem(at: folder)
    }
}

/// Runs `body` on a new store and removes it afterwards.
func withStore(
    limits: ResourceStoreLimits = ResourceStoreLimits(), _ body: (ResourceStore, TemporaryStore) async throws -> Void
) async throws {
    let temporary = try await TemporaryStore(limits: limits)
    do {
        try await body(temporary.store, temporary)
    } catch {
        await temporary.remove()
        throw error
    }
    await temporary.remove()
}

func configMap(_ name: String, _ data: JSON = ["a": "1"], labels: JSON? = nil) -> JSON {
    var object: JSON = ["metadata": ["name": .string(name)], "data": data]
    object[path: "metadata", "labels"] = labels
    return object
}

func key(_ name: String, _ kind: ResourceKind = .configMap) -> ResourceKey {
    ResourceKey(kind, namespace: "default", name: name)
}

/// The code of the error that `body` throws; nil when it throws none.
func code(_ body: () async throws -> Void) async -> ClusterError.Code? {
    do {
        try await body()
        return nil
    } catch {
        return (error as? ClusterError)?.code
    }
}

/// Waits until `condition` holds, at most five seconds.
func eventually(_ condition: () async -> Bool) async -> Bool {
    for _ in 0..<500 {
        if await condition() { return true }
        try? await Task.sleep(nanoseconds: 10_000_000)
    }
    return false
}
