// Events are the platform's notes about objects, read by `kubectl describe`. The same note again raises a counter,
// notes older than an hour go, and a burst cannot grow without bound.

import Bytes
import Clock
import Formats
import Log

/// Writes and expires events.
package struct EventRecorder: Sendable {
    package enum Severity: String, Sendable {
        case normal = "Normal"
        case warning = "Warning"
    }

    private let store: ResourceStore
    /// Who writes: `workflow-controller`, `kubelet`.
    private let component: String
    private static let secondsToLive: Int64 = 3600
    private static let countMax = 5_000

    package init(store: ResourceStore, component: String) {
        self.store = store
        self.component = component
    }

    /// Notes `message` about `resource`. A note that cannot be stored is only logged: it must never stop real work.
    package func record(_ resource: Resource, _ severity: Severity, reason: String, _ message: String) async {
        let namespace = resource.namespace.isEmpty ? "default" : resource.namespace
        let note = String(message.prefix(1024))
        let now = WallTime.now.iso8601()
        do {
            // The name follows from what the note says, so that saying it again finds the first one.
            let digest = Self.digest([resource.uid, component, severity.rawValue, reason, note])
            let name = "\(resource.name.prefix(230)).\(digest)"
            let key = ResourceKey(.event, namespace: namespace, name: name)
            if store.find(key) != nil {
                try await store.update(key) { current in
                    var object = current.json
                    object["count"] = .int((object["count"]?.intValue ?? 1) + 1)
                    object["lastTimestamp"] = .string(now)
                    return object
                }
                return
            }
            guard store.count(.event) < Self.countMax else { return }
            try await store.create(
                .event, namespace: namespace,
                [
                    "metadata": ["name": .string(name)],
                    "involvedObject": [
                        "kind": .string(resource.kind.kind), "namespace": .string(resource.namespace),
                        "name": .string(resource.name), "uid": .string(resource.uid),
                        "apiVersion": .string(resource.kind.apiVersion),
                        "resourceVersion": .string(String(resource.version)),
                    ],
                    "reason": .string(reason), "message": .string(note), "type": .string(severity.rawValue), "count": 1,
                    "firstTimestamp": .string(now), "lastTimestamp": .string(now),
                    "source": ["component": .string(component)], "reportingComponent": .string(component),
                    "reportingInstance": "",
                ])
        } catch {
            Logger(role: "cluster").debug("event not stored", [("reason", reason), ("error", "\(error)")])
        }
    }

    /// Deletes notes past their time, once a minute, until the task is cancelled.
    package static func expire(in store: ResourceStore) async {
        while !Task.isCancelled {
            let limit = WallTime.now.advanced(seconds: -secondsToLive)
            for event in store.list(.event).items {
                let last =
                    event.json["lastTimestamp"]?.stringValue ?? event.metadata["creationTimestamp"]?.stringValue ?? ""
                guard let time = WallTime(iso8601: last), time < limit else { continue }
                await ControllerLoop.attempt("events") { try await store.delete(event.key) }
            }
            try? await Task.sleep(nanoseconds: 60_000_000_000)
        }
    }

    /// FNV-1a over the parts: short, and the same on every start.
    private static func digest(_ parts: [String]) -> String {
        var hash: UInt64 = 0xcbf2_9ce4_8422_2325
        for part in parts {
            for byte in part.utf8 { hash = (hash ^ UInt64(byte)) &* 0x0000_0100_0000_01b3 }
            hash = (hash ^ 0xff) &* 0x0000_0100_0000_01b3
        }
        var text: [UInt8] = []
        text.append(hexadecimal: hash)
        return String(utf8: text)
    }
}
