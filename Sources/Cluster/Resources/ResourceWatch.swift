// A watch is a position in the store's history, not a queue: a slow reader costs nothing, and one that is slower than
// the history is long gets `.expired` and lists again.

import Clock
import Formats
import Synchronization

/// A stream of changes to pull from. One task uses it; it ends with its last reference.
package final class ResourceWatch: Sendable {
    private let store: ResourceStore
    private let cursor: WatchCursor
    private let namespace: String?
    private let labels: LabelSelector
    private let fields: FieldSelector

    init(store: ResourceStore, cursor: WatchCursor, namespace: String?, labels: LabelSelector, fields: FieldSelector) {
        self.store = store
        self.cursor = cursor
        self.namespace = namespace
        self.labels = labels
        self.fields = fields
    }

    deinit { store.forget(cursor) }

    /// Everything up to this version has been delivered: what a bookmark says.
    package var version: UInt64 { store.state.withLock { _ in cursor.version } }

    /// The next changes, oldest first, waiting for the first of them; empty when `timeoutMilliseconds` went by.
    ///
    /// A change after which an object no longer matches the selectors comes as `.deleted`, one after which it begins to
    /// match as `.added`. Throws `ClusterError` `.expired`, or `CancellationError`.
    package func next(timeoutMilliseconds: UInt64? = nil) async throws -> [ResourceEvent] {
        let deadline = timeoutMilliseconds.map { MonotonicTime.now.advanced(milliseconds: $0) }
        while true {
            let (changes, isAtEnd) = try store.state.withLock { state throws(ClusterError) in
                guard let changes = state.history.changes(after: cursor.version, countMax: 1024) else {
                    throw ClusterError(
                        .expired, "too old resource version: \(cursor.version) (\(state.history.oldestVersion))")
                }
                cursor.version = changes.last?.version ?? cursor.version
                return (changes.filter { cursor.kinds.contains($0.resource.kind) }, changes.isEmpty)
            }
            let events = changes.compactMap(translate)
            if !events.isEmpty { return events }
            try Task.checkCancellation()
            if let deadline, deadline < .now { return [] }
            if isAtEnd { await cursor.wait(until: deadline) }
        }
    }

    private func translate(_ event: ResourceEvent) -> ResourceEvent? {
        if let namespace, !event.resource.namespace.isEmpty, event.resource.namespace != namespace { return nil }
        if labels.requirements.isEmpty, fields.requirements.isEmpty { return event }
        let matches = matches(event.resource)
        guard let previous = event.previous else { return matches ? event : nil }
        let matched = self.matches(previous)
        switch (event.change, matched, matches) {
        case (.deleted, true, _), (.modified, true, true), (.added, _, true): return event
        case (.modified, true, false):
            return ResourceEvent(change: .deleted, resource: event.resource, previous: previous)
        case (.modified, false, true): return ResourceEvent(change: .added, resource: event.resource, previous: nil)
        default: return nil
        }
    }

    private func matches(_ resource: Resource) -> Bool {
        labels.matches(resource.labels) && fields.matches(resource.json)
    }
}

/// Where a watch stands, and the task that waits for more.
///
/// `@unchecked Sendable`: `version` is read and written under the store's lock only.
final class WatchCursor: @unchecked Sendable {
    private struct Waiting {
        var continuation: UnsafeContinuation<Void, Never>?
        var deadline: MonotonicTime?
        var isWoken = false
    }

    let kinds: Set<ResourceKind>
    var version: UInt64
    private let waiting = Mutex(Waiting())

    init(kinds: Set<ResourceKind>, version: UInt64) {
        self.kinds = kinds
        self.version = version
    }

    func isConcerned(by changed: Set<ResourceKind>) -> Bool { !kinds.isDisjoint(with: changed) }

    /// Returns after `wake()`, which may have come before, or when the task is cancelled.
    func wait(until deadline: MonotonicTime?) async {
        await withTaskCancellationHandler {
            await withUnsafeContinuation { (continuation: UnsafeContinuation<Void, Never>) in
                let isWoken = waiting.withLock { waiting in
                    if waiting.isWoken || Task.isCancelled {
                        waiting.isWoken = false
                        return true
                    }
                    waiting.continuation = continuation
                    waiting.deadline = deadline
                    return false
                }
                if isWoken { continuation.resume() }
            }
        } onCancel: {
            wake()
        }
    }

    func wake() {
        let continuation = waiting.withLock { waiting in
            defer {
                waiting.isWoken = waiting.continuation == nil
                waiting.continuation = nil
            }
            return waiting.continuation
        }
        continuation?.resume()
    }

    func wake(ifOverdueAt now: MonotonicTime) {
        let isOverdue = waiting.withLock { $0.deadline.map { $0 < now } ?? false }
        if isOverdue { wake() }
    }
}

extension ResourceStore {
    /// Watches `kinds` from after `version` on. Throws `.expired` when that is too old, `.limitReached` when there are
    /// too many watches.
    package func watch(
        _ kinds: [ResourceKind], namespace: String? = nil, labels: LabelSelector = LabelSelector(),
        fields: FieldSelector = FieldSelector(), after version: UInt64
    ) throws(ClusterError) -> ResourceWatch {
        let cursor = try state.withLock { state throws(ClusterError) in
            guard version >= state.history.oldestVersion else {
                throw ClusterError(.expired, "too old resource version: \(version) (\(state.history.oldestVersion))")
            }
            return try state.addWatcher(
                kinds, version: min(version, state.committedVersion), countMax: limits.watchCountMax)
        }
        return ResourceWatch(store: self, cursor: cursor, namespace: namespace, labels: labels, fields: fields)
    }

    /// The objects of `kinds` and a watch of what changes after, with nothing between the two.
    package func listAndWatch(
        _ kinds: [ResourceKind], namespace: String? = nil, labels: LabelSelector = LabelSelector(),
        fields: FieldSelector = FieldSelector()
    ) throws(ClusterError) -> (list: ResourceList, watch: ResourceWatch) {
        let (found, version, cursor) = try state.withLock { state throws(ClusterError) in
            (
                kinds.flatMap { state.select($0, namespace, name: fields.exactName) }, state.committedVersion,
                try state.addWatcher(kinds, version: state.committedVersion, countMax: limits.watchCountMax)
            )
        }
        let items = found.filter { labels.matches($0.labels) && fields.matches($0.json) }
            .sorted { ($0.namespace, $0.name) < ($1.namespace, $1.name) }
        let watch = ResourceWatch(store: self, cursor: cursor, namespace: namespace, labels: labels, fields: fields)
        return (ResourceList(items: items, version: version), watch)
    }

    /// Watches open now.
    package var watchCount: Int { state.withLock { $0.watchers.count } }

    func forget(_ cursor: WatchCursor) {
        _ = state.withLock { $0.watchers.removeValue(forKey: ObjectIdentifier(cursor)) }
    }

    func wakeOverdueWatches() {
        let cursors = state.withLock { Array($0.watchers.values) }
        let now = MonotonicTime.now
        for cursor in cursors { cursor.wake(ifOverdueAt: now) }
    }
}

extension ResourceState {
    fileprivate mutating func addWatcher(
        _ kinds: [ResourceKind], version: UInt64, countMax: Int
    ) throws(ClusterError) -> WatchCursor {
        guard watchers.count < countMax else {
            throw ClusterError(.limitReached, "there are \(countMax) watches already; end one and try again")
        }
        let cursor = WatchCursor(kinds: Set(kinds), version: version)
        watchers[ObjectIdentifier(cursor)] = cursor
        return cursor
    }
}
