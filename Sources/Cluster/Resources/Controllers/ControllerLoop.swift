// What every controller of the store does around its own work: list, then follow changes, and list again when it fell
// behind. Work is idempotent, so seeing an object twice does no harm.

import Log

/// Feeds a controller with objects until its task is cancelled.
package enum ControllerLoop {
    /// Calls `handle` with every object of `kinds`, as added, then with each change, in order.
    ///
    /// `idle` runs whenever `idleMilliseconds` went by without a change: for work that waits for something else.
    package static func run(
        _ name: String, _ store: ResourceStore, _ kinds: [ResourceKind], idleMilliseconds: UInt64? = nil,
        idle: @Sendable () async -> Void = {}, handle: @Sendable (ResourceEvent) async -> Void
    ) async {
        let logger = Logger(role: "cluster")
        while !Task.isCancelled {
            do {
                let (list, watch) = try store.listAndWatch(kinds)
                for resource in list.items {
                    await handle(ResourceEvent(change: .added, resource: resource, previous: nil))
                }
                while true {
                    let events = try await watch.next(timeoutMilliseconds: idleMilliseconds)
                    for event in events { await handle(event) }
                    if events.isEmpty { await idle() }
                }
            } catch is CancellationError {
                return
            } catch {
                logger.warning("controller starts over", [("controller", name), ("reason", "\(error)")])
                try? await Task.sleep(nanoseconds: 100_000_000)
            }
        }
    }

    /// Runs one step of a controller: an object that changed or went away meanwhile is no failure, its event follows.
    /// False when it failed otherwise.
    @discardableResult
    package static func attempt(_ name: String, _ step: () async throws -> Void) async -> Bool {
        do {
            try await step()
            return true
        } catch let error as ClusterError where error.code == .notFound || error.code == .conflict {
            return true
        } catch {
            Logger(role: "cluster").warning("controller step failed", [("controller", name), ("reason", "\(error)")])
            return false
        }
    }
}
