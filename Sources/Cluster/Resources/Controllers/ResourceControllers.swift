/// The controllers that keep the store itself in order: namespaces, owned objects, old events.
package final class ResourceControllers: Sendable {
    private let tasks: [Task<Void, Never>]

    /// Starts them on `store`.
    package init(store: ResourceStore) {
        // Detached: they serve the whole process and end with `stop`.
        tasks = [
            Task.detached { await NamespaceController(store: store).run() },
            Task.detached { await GarbageCollector(store: store).run() },
            Task.detached { await EventRecorder.expire(in: store) },
        ]
    }

    package func stop() { for task in tasks { task.cancel() } }
}
