// Keeps as many pods of each ReplicaSet as it asks for.

import Clock
import Formats

struct ReplicaSetController: Sendable {
    private let store: ResourceStore
    /// Pods made in one go; the rest follows with the next change.
    private static let burstMax = 100

    init(store: ResourceStore) { self.store = store }

    /// Works until cancelled.
    func run() async {
        await ControllerLoop.run(
            "replicasets", store, [.replicaSet, .pod], idleMilliseconds: 1000,
            idle: {
                for set in store.list(.replicaSet).items where !isSettled(set) { await reconcile(set.key) }
            },
            handle: { event in
                let resource = event.resource
                if resource.kind == .replicaSet {
                    if event.change != .deleted { await reconcile(resource.key) }
                } else if let owner = resource.controller, owner.kind == "ReplicaSet" {
                    await reconcile(ResourceKey(.replicaSet, namespace: resource.namespace, name: owner.name))
                }
            })
    }

    private func isSettled(_ set: Resource) -> Bool {
        set.count("replicas") == set.replicas && set.count("availableReplicas") == set.replicas
    }

    private func reconcile(_ key: ResourceKey) async {
        guard let set = store.find(key), !set.isTerminating else { return }
        let pods = store.dependents(of: set.uid).filter { $0.kind == .pod }
        // Their processes are gone for good: a stopped server ends its pods. New ones take their place.
        for pod in pods where !pod.isTerminating && !pod.isActivePod {
            await ControllerLoop.attempt("replicasets") { try await store.delete(pod.key) }
        }
        let active = pods.filter(\.isActivePod)
        var failure: String?
        if active.count < set.replicas {
            failure = await create(min(set.replicas - active.count, Self.burstMax), of: set)
        } else if active.count > set.replicas {
            for pod in active.sorted(by: goesBefore).prefix(active.count - set.replicas) {
                await ControllerLoop.attempt("replicasets") { try await store.delete(pod.key) }
                await EventRecorder(store: store, component: "replicaset-controller")
                    .record(set, .normal, reason: "SuccessfulDelete", "Deleted pod: \(pod.name)")
            }
        }
        await publish(set.key, failure)
    }

    /// Whom to delete first: what does not run, then what is not ready, then the youngest.
    private func goesBefore(_ left: Resource, _ right: Resource) -> Bool {
        func rank(_ pod: Resource) -> Int { pod.status["phase"] != "Running" ? 0 : pod.isReady ? 2 : 1 }
        if rank(left) != rank(right) { return rank(left) < rank(right) }
        return left.version > right.version
    }

    /// Returns why a pod could not be made, or nil.
    private func create(_ count: Int, of set: Resource) async -> String? {
        let recorder = EventRecorder(store: store, component: "replicaset-controller")
        for _ in 0..<count {
            do {
                let pod = try await store.create(.pod, namespace: set.namespace, PodTemplate.pod(of: set))
                await recorder.record(set, .normal, reason: "SuccessfulCreate", "Created pod: \(pod.name)")
            } catch let error as ClusterError {
                await recorder.record(set, .warning, reason: "FailedCreate", "Error creating: \(error.message)")
                return error.message
            } catch {
                return "\(error)"
            }
        }
        return nil
    }

    private func publish(_ key: ResourceKey, _ failure: String?) async {
        await ControllerLoop.attempt("replicasets") {
            try await store.updateStatus(key) { set in
                let active = store.dependents(of: set.uid).filter { $0.kind == .pod && $0.isActivePod }
                let labels = set.spec["template"]?["metadata"]?["labels"]?.stringMap ?? [:]
                let labelled = active.filter { pod in labels.allSatisfy { pod.labels[$0.key] == $0.value } }
                let delay = set.spec["minReadySeconds"]?.intValue ?? 0
                var status: JSON = [
                    "replicas": JSON(active.count), "fullyLabeledReplicas": JSON(labelled.count),
                    "readyReplicas": JSON(active.count(where: \.isReady)),
                    "availableReplicas": JSON(active.count { $0.isAvailable(afterSeconds: delay) }),
                    "observedGeneration": set.metadata["generation"] ?? 0,
                ]
                if let failure {
                    let before = set.status["conditions"]?[0]
                    status["conditions"] = [
                        [
                            "type": "ReplicaFailure", "status": "True", "reason": "FailedCreate",
                            "message": .string(failure),
                            "lastTransitionTime": before?["lastTransitionTime"] ?? .string(WallTime.now.iso8601()),
                        ]
                    ]
                }
                return status
            }
        }
    }
}

extension Resource {
    /// True for a pod that has been ready for `seconds`.
    func isAvailable(afterSeconds seconds: Int64) -> Bool {
        guard isReady else { return false }
        guard seconds > 0 else { return true }
        let ready = status["conditions"]?.arrayValue?.first { $0["type"] == "Ready" }
        guard let since = ready?["lastTransitionTime"]?.stringValue.flatMap({ WallTime(iso8601: $0) }) else {
            return false
        }
        return WallTime.now.seconds - since.seconds >= seconds
    }
}
