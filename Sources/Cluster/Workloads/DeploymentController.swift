// Rolls a Deployment's pods over to its present template by way of ReplicaSets, one for each template it had.

import Clock
import Formats

struct DeploymentController: Sendable {
    static let revision = "deployment.kubernetes.io/revision"
    private let store: ResourceStore

    init(store: ResourceStore) { self.store = store }

    /// Works until cancelled.
    func run() async {
        await ControllerLoop.run(
            "deployments", store, [.deployment, .replicaSet], idleMilliseconds: 1000,
            idle: {
                // A rollout that makes no progress has a deadline.
                for deployment in store.list(.deployment).items
                where deployment.count("availableReplicas") != deployment.replicas {
                    await reconcile(deployment.key)
                }
            },
            handle: { event in
                let resource = event.resource
                if resource.kind == .deployment {
                    if event.change != .deleted { await reconcile(resource.key) }
                } else if let owner = resource.controller, owner.kind == "Deployment" {
                    await reconcile(ResourceKey(.deployment, namespace: resource.namespace, name: owner.name))
                }
            })
    }

    private func sets(of deployment: Resource) -> [Resource] {
        store.dependents(of: deployment.uid).filter { $0.kind == .replicaSet && !$0.isTerminating }
            .sorted { Self.revision(of: $0) < Self.revision(of: $1) }
    }

    private static func revision(of resource: Resource) -> Int {
        resource.annotations[revision].flatMap { Int($0) } ?? 0
    }

    private func reconcile(_ key: ResourceKey) async {
        guard let deployment = store.find(key), !deployment.isTerminating else { return }
        await ControllerLoop.attempt("deployments") {
            let all = sets(of: deployment)
            let template = deployment.spec["template"] ?? [:]
            let known = all.first { PodTemplate.areEqual($0.spec["template"] ?? [:], template) }
            let old = all.filter { $0.key != known?.key }
            if deployment.spec["paused"]?.boolValue == true {
                // The template waits; the size does not.
                if let running = known ?? all.last(where: { $0.replicas > 0 }),
                    all.filter({ $0.replicas > 0 }).count < 2
                {
                    try await scale(running, to: deployment.replicas, deployment)
                }
            } else {
                let new = try await newSet(of: deployment, known, old)
                if deployment.spec["strategy"]?["type"] == "Recreate" {
                    try await recreate(deployment, new, old)
                } else {
                    try await roll(deployment, new, old)
                }
                try await forgetHistory(deployment, old, new)
            }
            try await publish(key)
        }
    }

    // MARK: ReplicaSets

    /// The set of the present template, made or taken up again under the next revision.
    private func newSet(of deployment: Resource, _ known: Resource?, _ old: [Resource]) async throws -> Resource {
        let last = old.map(Self.revision).max() ?? 0
        let new: Resource
        if let known, Self.revision(of: known) > last {
            new = known
        } else if let known {
            new = try await store.update(known.key) { current in
                var object = current.json
                object[path: "metadata", "annotations", Self.revision] = .string("\(last + 1)")
                return object
            }
        } else {
            new = try await create(deployment, revision: last + 1)
        }
        let number = new.annotations[Self.revision] ?? "1"
        if deployment.annotations[Self.revision] != number {
            try await store.update(deployment.key) { current in
                var object = current.json
                object[path: "metadata", "annotations", Self.revision] = .string(number)
                return object
            }
        }
        return new
    }

    private func create(_ deployment: Resource, revision: Int) async throws -> Resource {
        var template = deployment.spec["template"] ?? [:]
        let hash = PodTemplate.hash(template)
        template[path: "metadata", "labels", PodTemplate.hashLabel] = .string(hash)
        var selector = deployment.spec["selector"] ?? [:]
        selector[path: "matchLabels", PodTemplate.hashLabel] = .string(hash)
        var annotations = deployment.metadata["annotations"] ?? [:]
        annotations["kubectl.kubernetes.io/last-applied-configuration"] = nil
        annotations[Self.revision] = .string("\(revision)")
        var spec: JSON = ["replicas": 0, "selector": selector, "template": template]
        spec["minReadySeconds"] = deployment.spec["minReadySeconds"]
        let name = "\(deployment.name)-\(hash)"
        return try await store.create(
            .replicaSet, namespace: deployment.namespace,
            [
                "metadata": [
                    "name": .string(name), "labels": template["metadata"]?["labels"] ?? [:],
                    "annotations": annotations, "ownerReferences": [deployment.ownerReference],
                ], "spec": spec,
            ])
    }

    private func scale(_ set: Resource, to count: Int, _ deployment: Resource) async throws {
        guard set.replicas != count else { return }
        try await store.update(set.key) { current in
            var object = current.json
            object[path: "spec", "replicas"] = JSON(count)
            return object
        }
        let direction = count > set.replicas ? "up" : "down"
        await EventRecorder(store: store, component: "deployment-controller").record(
            deployment, .normal, reason: "ScalingReplicaSet",
            "Scaled \(direction) replica set \(set.name) from \(set.replicas) to \(count)")
    }

    private func roll(_ deployment: Resource, _ new: Resource, _ old: [Resource]) async throws {
        let rules = RollingUpdate(spec: deployment.spec)
        let oldCounts = old.map { ReplicaCounts(replicas: $0.replicas, available: $0.count("availableReplicas")) }
        let next = rules.nextOfNew(Self.counts(new), old: oldCounts)
        try await scale(new, to: next, deployment)
        let grown = ReplicaCounts(replicas: next, available: min(next, new.count("availableReplicas")))
        for (set, size) in zip(old, rules.nextOfOld(oldCounts, new: grown)) {
            try await scale(set, to: size, deployment)
        }
    }

    private static func counts(_ set: Resource) -> ReplicaCounts {
        ReplicaCounts(replicas: set.replicas, available: set.count("availableReplicas"))
    }

    /// The old pods end before the first new one starts.
    private func recreate(_ deployment: Resource, _ new: Resource, _ old: [Resource]) async throws {
        for set in old { try await scale(set, to: 0, deployment) }
        let isEmpty = old.allSatisfy { set in
            store.dependents(of: set.uid).allSatisfy { $0.kind != .pod || !$0.isActivePod && !$0.isTerminating }
        }
        if isEmpty { try await scale(new, to: deployment.replicas, deployment) }
    }

    private func forgetHistory(_ deployment: Resource, _ old: [Resource], _ new: Resource) async throws {
        guard Self.counts(new).available >= deployment.replicas else { return }
        let limit = Int(clamping: deployment.spec["revisionHistoryLimit"]?.intValue ?? 10)
        let empty = old.filter { $0.replicas == 0 && $0.count("replicas") == 0 }
        for set in empty.prefix(max(0, empty.count - max(0, limit))) { try await store.delete(set.key) }
    }

    // MARK: Status

    private func publish(_ key: ResourceKey) async throws {
        try await store.updateStatus(key) { deployment in
            let all = sets(of: deployment)
            let template = deployment.spec["template"] ?? [:]
            let new = all.first { PodTemplate.areEqual($0.spec["template"] ?? [:], template) }
            func sum(_ field: String) -> Int { all.reduce(0) { $0 + $1.count(field) } }
            let available = sum("availableReplicas")
            var status: JSON = ["observedGeneration": deployment.metadata["generation"] ?? 0]
            for (field, count) in [
                ("replicas", sum("replicas")), ("updatedReplicas", new?.count("replicas") ?? 0),
                ("readyReplicas", sum("readyReplicas")), ("availableReplicas", available),
                ("unavailableReplicas", max(0, deployment.replicas - available)),
            ] where count > 0 {
                status[field] = JSON(count)
            }
            status["conditions"] = DeploymentConditions.next(of: deployment, status: status, newSet: new, now: .now)
            return status
        }
    }
}
