// How accepted changes become durable and visible. One committer at a time takes what has gathered, writes it in one
// transaction, publishes it, and looks again.

import Database
import Log
import Synchronization

extension ResourceStore {
    /// Runs `stage` under the lock. What it accepts is committed before this returns; what it throws is thrown at once.
    func commit(_ stage: (inout ResourceState) throws -> Staging) async throws -> Resource {
        try await withUnsafeThrowingContinuation { (continuation: UnsafeContinuation<Resource, any Error>) in
            do {
                let mustStart = try state.withLock { state in
                    let outcome = try stage(&state)
                    if case .change(let event) = outcome { state.accept(event) }
                    // One with nothing to change waits too: what it was shown may not be durable yet.
                    state.batch.waiters.append(.init(resource: outcome.resource, continuation: continuation))
                    defer { state.isCommitting = true }
                    return !state.isCommitting
                }
                // Detached: it serves every caller, so no one's cancellation may end it.
                if mustStart { Task.detached { await self.commitBatches() } }
            } catch {
                continuation.resume(throwing: error)
            }
        }
    }

    private func commitBatches() async {
        while let batch = takeBatch() {
            do {
                if !batch.events.isEmpty { try await write(batch.events) }
                for watcher in state.withLock({ $0.publish(batch.events) }) { watcher.wake() }
                for waiter in batch.waiters { waiter.continuation.resume(returning: waiter.resource) }
            } catch {
                logger.error("cannot store objects", [("error", "\(error)")])
                // Later changes may rest on the failed ones, so nothing accepted survives.
                let waiters = batch.waiters + state.withLock { $0.discard() }
                let failure = ClusterError(.unavailable, "the change could not be stored; try again")
                for waiter in waiters { waiter.continuation.resume(throwing: failure) }
            }
        }
    }

    private func takeBatch() -> ResourceBatch? {
        state.withLock { state in
            guard !state.batch.waiters.isEmpty else {
                state.isCommitting = false
                return nil
            }
            defer { state.batch = ResourceBatch() }
            return state.batch
        }
    }

    private func write(_ events: [ResourceEvent]) async throws {
        try await database.write { connection in
            for event in events {
                let resource = event.resource
                let key = resource.key
                if event.change == .deleted {
                    try connection.execute(
                        "DELETE FROM resource WHERE api_group = ? AND plural = ? AND namespace = ? AND name = ?",
                        .text(key.kind.group), .text(key.kind.plural), .text(key.namespace), .text(key.name))
                } else {
                    try connection.execute(
                        """
                        INSERT INTO resource (api_group, plural, namespace, name, version, body)
                        VALUES (?, ?, ?, ?, ?, ?)
                        ON CONFLICT (api_group, plural, namespace, name)
                        DO UPDATE SET version = excluded.version, body = excluded.body
                        """,
                        .text(key.kind.group), .text(key.kind.plural), .text(key.namespace), .text(key.name),
                        .int(Int(resource.version)), .blob(resource.encoded))
                }
            }
            // The newest version is kept by itself: after a deletion no row holds it.
            try connection.execute(
                "UPDATE resource_version SET version = ? WHERE id = 1", .int(Int(events[events.count - 1].version)))
        }
    }
}

/// What a write comes to, once checked.
enum Staging {
    case change(ResourceEvent)
    /// The object stands as the caller wants it already, or the call was a dry run.
    case nothingToDo(Resource)

    var resource: Resource {
        switch self {
        case .change(let event): event.resource
        case .nothingToDo(let resource): resource
        }
    }
}

extension ResourceState {
    mutating func accept(_ event: ResourceEvent) {
        staged[event.resource.key] = StagedObject(
            resource: event.change == .deleted ? nil : event.resource, version: event.version)
        batch.events.append(event)
    }

    /// Makes durable changes visible. Returns the watchers to wake.
    mutating func publish(_ events: [ResourceEvent]) -> [WatchCursor] {
        guard let last = events.last else { return [] }
        var kinds: Set<ResourceKind> = []
        for event in events {
            let key = event.resource.key
            if event.change == .deleted { remove(event.resource) } else { install(event.resource) }
            history.append(event)
            kinds.insert(key.kind)
            // A later batch may have staged this object again; then that entry stays.
            if staged[key]?.version == event.version { staged[key] = nil }
        }
        let concerned = watchers.values.filter { $0.isConcerned(by: kinds) }
        for watcher in watchers.values where !watcher.isConcerned(by: kinds) && watcher.version == committedVersion {
            // Nothing here for one that has seen all before: it goes along, so that quiet kinds never fall behind.
            watcher.version = last.version
        }
        committedVersion = last.version
        return concerned
    }

    mutating func discard() -> [ResourceBatch.Waiter] {
        staged = [:]
        defer { batch = ResourceBatch() }
        return batch.waiters
    }
}
