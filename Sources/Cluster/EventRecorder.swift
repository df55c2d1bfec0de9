// Events: what controllers did to an object and why, for `kubectl describe` and `kubectl get events`. They are remarks, not
// state: writing one never holds up or fails the work it describes.

import Bytes
import Clock
import Formats
import Log

/// Writes Event objects.
package final class EventRecorder: Sendable {
    private let store: ResourceStore
    private let logger = Logger(role: "cluster")

    package init(store: ResourceStore) { self.store = store }

    /// Records `reason` about `subject`. `type` is `Normal` or `Warning`.
    package func record(
        _ subject: Resource, type: String = "Normal", reason: String, message: String, component: String,
        fieldPath: String? = nil
    ) {
        var involved: JSON = [
            "apiVersion": .string(subject.kind.apiVersion), "kind": .string(subject.kind.kind),
            "name": .string(subject.name), "namespace": .string(subject.namespace), "uid": .string(subject.uid),
            "resourceVersion": .string(String(subject.version)),
        ]
        if let fieldPath { involved["fieldPath"] = .string(fieldPath) }
        let now = JSON.string(WallTime.now.iso8601())
        let name = "\(subject.name.prefix(200)).\(Hex.encode(Randomness.bytes(8)))"
        let event: JSON = [
            "metadata": ["name": .string(name), "namespace": .string(subject.namespace)],
            "involvedObject": involved, "type": .string(type), "reason": .string(reason),
            "message": .string(String(message.prefix(1024))), "source": ["component": .string(component)],
            "reportingComponent": .string(component), "reportingInstance": "", "firstTimestamp": now, "lastTimestamp": now,
            "eventTime": .null, "count": 1,
        ]
        let store = store
        // Detached: the caller goes on at once, and no one waits for a remark.
        Task.detached { [logger] in
            do {
                try await store.create(.event, namespace: subject.namespace, event)
            } catch {
                logger.debug("cannot record an event", [("reason", reason), ("error", "\(error)")])
            }
        }
    }

    /// Seconds that an event is kept, as Kubernetes' default.
    package static let lifetimeSeconds: Int64 = 3600

    /// Deletes events past their time, once a minute, for as long as the recorder lives.
    package func collectOld() async {
        while !Task.isCancelled {
            let limit = WallTime.now.advanced(seconds: -Self.lifetimeSeconds).iso8601()
            for event in store.list(.event).items where (event.json["lastTimestamp"]?.stringValue ?? limit) < limit {
                // One that is gone already is what was wanted.
                _ = try? await store.delete(event.key)
            }
            do { try await Task.sleep(nanoseconds: 60_000_000_000) } catch { return }
        }
    }
}
