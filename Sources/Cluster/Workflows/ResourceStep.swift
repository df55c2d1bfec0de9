// Carries out a `resource` template: writes the objects, then watches the first until a condition decides.

import Bytes
import Clock
import Formats

struct ResourceStep: Sendable {
    let store: ResourceStore
    let workflow: Resource
    let nodeID: String
    let request: ResourceRequest

    /// Runs to the end, or until cancelled.
    func run() async -> WorkflowRun.PodResult {
        let started = WallTime.now
        func result(_ phase: WorkflowNode.Phase, _ message: String = "") -> WorkflowRun.PodResult {
            WorkflowRun.PodResult(phase: phase, message: message, started: started, finished: .now)
        }
        var keys: [ResourceKey] = []
        do {
            for object in request.objects { keys.append(try await carryOut(object)) }
        } catch let error as ClusterError {
            return result(.error, error.message)
        } catch {
            return result(.error, "\(error)")
        }
        guard request.verb != .delete, request.success != nil || request.failure != nil, let first = keys.first else {
            return result(.succeeded)
        }
        while !Task.isCancelled {
            guard let object = store.find(first) else { return result(.error, "\(first) was deleted meanwhile") }
            if let failure = request.failure, failure.holds(for: object.json) {
                return result(.failed, "failure condition '\(failure.text)' evaluated true")
            }
            if let success = request.success, success.holds(for: object.json) { return result(.succeeded) }
            // Objects are in memory: looking is cheaper than one watch for each step.
            try? await Task.sleep(nanoseconds: 50_000_000)
        }
        return result(.error, "the workflow ended")
    }

    private func carryOut(_ object: JSON) async throws -> ResourceKey {
        let version = object["apiVersion"]?.stringValue ?? ""
        let name = object["kind"]?.stringValue ?? ""
        guard let kind = store.kinds.first(where: { $0.apiVersion == version && $0.kind == name }) else {
            throw ClusterError(.badRequest, "no matches for kind \"\(name)\" in version \"\(version)\"")
        }
        let namespace = object[path: "metadata", "namespace"]?.stringValue ?? workflow.namespace
        let key = ResourceKey(kind, namespace: namespace, name: object[path: "metadata", "name"]?.stringValue ?? "")
        switch request.verb {
        case .create: return try await create(kind, namespace, object)
        case .apply where store.find(key) == nil: return try await create(kind, namespace, object)
        case .apply, .patch: return try await store.update(key) { Self.merged(object, into: $0.json) }.key
        case .replace: return try await store.update(key) { _ in object }.key
        case .get: return try store.get(key).key
        case .delete:
            try await store.delete(key)
            return key
        }
    }

    /// An object that this very node made before the server was restarted is the one wanted.
    private func create(_ kind: ResourceKind, _ namespace: String, _ object: JSON) async throws -> ResourceKey {
        var object = object
        object[path: "metadata", "annotations", WorkflowLabels.nodeID] = .string(nodeID)
        if request.setsOwner { object[path: "metadata", "ownerReferences"] = [workflow.ownerReference] }
        do {
            return try await store.create(kind, namespace: namespace, object).key
        } catch let error as ClusterError where error.code == .alreadyExists {
            let key = ResourceKey(kind, namespace: namespace, name: object[path: "metadata", "name"]?.stringValue ?? "")
            guard store.find(key)?.annotations[WorkflowLabels.nodeID] == nodeID else { throw error }
            return key
        }
    }

    /// A merge patch (RFC 7386).
    private static func merged(_ patch: JSON, into target: JSON) -> JSON {
        guard let members = patch.objectValue else { return patch }
        var result = target.objectValue == nil ? [:] : target
        for (key, value) in members {
            result[key] = value == .null ? nil : merged(value, into: result[key] ?? .null)
        }
        return result
    }
}
