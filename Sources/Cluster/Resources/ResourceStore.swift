// The objects of the cluster: in memory for reading, in the database for keeping. Reads never wait. A write is checked
// at once against everything accepted so far, then waits for its batch: one database transaction makes all changes that
// gathered meanwhile durable, and only then do they become visible, reach the watchers, and let their callers go on.
//
// So nobody sees a change that a crash could take back, and a hundred concurrent writes cost one fsync, not a hundred.

import Clock
package import Database
import Formats
import Log
import Synchronization

/// The bounds of a store.
package struct ResourceStoreLimits: Sendable {
    /// Objects of one kind.
    package var objectsPerKindMax = 50_000
    /// Watches at once, those of controllers included.
    package var watchCountMax = 1_000
    /// Changes kept for watchers that resume.
    package var historyCountMax = 16_384
    /// Bytes of objects in those changes.
    package var historyBytesMax = 32 * 1024 * 1024

    package init() {}
}

/// Stores, lists, changes and watches objects. Safe to share; every operation is atomic.
package final class ResourceStore: Sendable {
    /// Kinds that can be stored.
    package let kinds: [ResourceKind]
    package let limits: ResourceStoreLimits
    let database: Database
    /// Gives Services their addresses; nil where nothing listens for them.
    let network: ClusterNetwork?
    let state: Mutex<ResourceState>
    let logger = Logger(role: "cluster")

    /// The schema that the database given to a store must have.
    package static let migrations = [
        Migration(
            version: 1, name: "resources",
            statements: [
                """
                CREATE TABLE resource (
                    api_group TEXT NOT NULL, plural TEXT NOT NULL, namespace TEXT NOT NULL, name TEXT NOT NULL,
                    version INTEGER NOT NULL, body BLOB NOT NULL,
                    PRIMARY KEY (api_group, plural, namespace, name)) WITHOUT ROWID
                """,
                "CREATE TABLE resource_version (id INTEGER PRIMARY KEY CHECK (id = 1), version INTEGER NOT NULL)",
                "INSERT INTO resource_version (id, version) VALUES (1, 1)",
            ])
    ]

    /// Reads every object of `kinds` from `database`, which was opened with `migrations`.
    package static func open(
        database: Database, kinds: [ResourceKind] = ResourceKind.all,
        limits: ResourceStoreLimits = ResourceStoreLimits(), network: ClusterNetwork? = nil
    ) async throws -> ResourceStore {
        let (version, rows) = try await database.read { connection in
            let version = try connection.first("SELECT version FROM resource_version WHERE id = 1") { $0.int(0) } ?? 1
            let rows = try connection.query(
                "SELECT api_group, plural, namespace, name, version, body FROM resource"
            ) {
                (
                    group: $0.text(0), plural: $0.text(1), namespace: $0.text(2), name: $0.text(3), version: $0.int(4),
                    body: $0.blob(5)
                )
            }
            return (version, rows)
        }
        var state = ResourceState(version: UInt64(version), limits: limits)
        let byName = Dictionary(uniqueKeysWithValues: kinds.map { ($0.qualifiedPlural, $0) })
        for row in rows {
            // Objects of kinds that this release does not serve stay in the database, untouched.
            guard let kind = byName[row.group.isEmpty ? row.plural : "\(row.plural).\(row.group)"] else { continue }
            let key = ResourceKey(kind, namespace: row.namespace, name: row.name)
            state.install(
                Resource(key: key, json: try JSON.parse(row.body, depthMax: 512), version: UInt64(row.version)))
        }
        return ResourceStore(database: database, kinds: kinds, limits: limits, network: network, state: state)
    }

    private init(
        database: Database, kinds: [ResourceKind], limits: ResourceStoreLimits, network: ClusterNetwork?,
        state: consuming sending ResourceState
    ) {
        self.network = network
        self.database = database
        self.kinds = kinds
        self.limits = limits
        self.state = Mutex(state)
        // Detached: it belongs to no request. It ends with the store.
        Task.detached { [weak self] in
            while let store = self {
                store.wakeOverdueWatches()
                try? await Task.sleep(nanoseconds: 250_000_000)
            }
        }
    }

    /// The version of the newest committed change.
    package var version: UInt64 { state.withLock { $0.committedVersion } }
}

/// Everything behind the store's lock.
struct ResourceState {
    /// Committed objects by kind, namespace and name.
    private(set) var objects: [ResourceKind: [String: [String: Resource]]] = [:]
    private(set) var counts: [ResourceKind: Int] = [:]
    /// Objects by the uid of an owner.
    private(set) var dependents: [String: Set<ResourceKey>] = [:]
    /// What accepted and not yet durable changes make of an object.
    var staged: [ResourceKey: StagedObject] = [:]
    /// The last version given to a change.
    var assignedVersion: UInt64
    var committedVersion: UInt64
    var batch = ResourceBatch()
    var isCommitting = false
    var history: ResourceHistory
    var watchers: [ObjectIdentifier: WatchCursor] = [:]

    init(version: UInt64, limits: ResourceStoreLimits) {
        assignedVersion = version
        committedVersion = version
        history = ResourceHistory(
            startingAfter: version, eventCountMax: limits.historyCountMax, bytesMax: limits.historyBytesMax)
    }

    func committed(_ key: ResourceKey) -> Resource? { objects[key.kind]?[key.namespace]?[key.name] }

    /// The object as the next change will find it.
    func latest(_ key: ResourceKey) -> Resource? {
        if let entry = staged[key] { entry.resource } else { committed(key) }
    }

    mutating func install(_ resource: Resource) {
        let key = resource.key
        let previous = objects[key.kind, default: [:]][key.namespace, default: [:]].updateValue(
            resource, forKey: key.name)
        if let previous { unlink(previous) } else { counts[key.kind, default: 0] += 1 }
        for uid in resource.ownerUIDs { dependents[uid, default: []].insert(key) }
    }

    mutating func remove(_ resource: Resource) {
        let key = resource.key
        guard let previous = objects[key.kind]?[key.namespace]?.removeValue(forKey: key.name) else { return }
        if objects[key.kind]?[key.namespace]?.isEmpty == true { objects[key.kind]?[key.namespace] = nil }
        counts[key.kind, default: 1] -= 1
        unlink(previous)
    }

    private mutating func unlink(_ resource: Resource) {
        for uid in resource.ownerUIDs {
            dependents[uid]?.remove(resource.key)
            if dependents[uid]?.isEmpty == true { dependents[uid] = nil }
        }
    }
}

/// An object as an accepted change leaves it; nil when that deleted it.
struct StagedObject {
    let resource: Resource?
    let version: UInt64
}

/// Changes that will be committed together, and who waits for them.
struct ResourceBatch {
    struct Waiter {
        let resource: Resource
        let continuation: UnsafeContinuation<Resource, any Error>
    }

    var events: [ResourceEvent] = []
    var waiters: [Waiter] = []
}
