// The conditions that `kubectl rollout status`, `kubectl wait` and helm read.

import Clock
import Formats

enum DeploymentConditions {
    static func next(of deployment: Resource, status: JSON, newSet: Resource?, now: WallTime) -> JSON {
        let before = deployment.status["conditions"]?.arrayValue ?? []
        func count(_ field: String) -> Int { Int(clamping: status[field]?.intValue ?? 0) }
        let rules = RollingUpdate(spec: deployment.spec)
        let isAvailable = count("availableReplicas") >= rules.replicas - rules.unavailableMax
        let available: JSON =
            isAvailable
            ? [
                "type": "Available", "status": "True", "reason": "MinimumReplicasAvailable",
                "message": "Deployment has minimum availability.",
            ]
            : [
                "type": "Available", "status": "False", "reason": "MinimumReplicasUnavailable",
                "message": "Deployment does not have minimum availability.",
            ]
        var conditions = [kept(available, before, now)]
        if let progress = progress(deployment, status, newSet, before, now) { conditions.append(progress) }
        if let failure = (newSet?.status["conditions"]?.arrayValue ?? []).first(where: {
            $0["type"] == "ReplicaFailure"
        }) {
            conditions.append(kept(failure, before, now))
        }
        return .array(conditions)
    }

    private static func progress(
        _ deployment: Resource, _ status: JSON, _ newSet: Resource?, _ before: [JSON], _ now: WallTime
    ) -> JSON? {
        let last = before.first { $0["type"] == "Progressing" }
        if deployment.spec["paused"]?.boolValue == true {
            return kept(
                [
                    "type": "Progressing", "status": "Unknown", "reason": "DeploymentPaused",
                    "message": "Deployment is paused",
                ], before, now)
        }
        func count(_ field: String) -> Int { Int(clamping: status[field]?.intValue ?? 0) }
        let name = newSet?.name ?? ""
        let isComplete =
            count("updatedReplicas") == deployment.replicas && count("replicas") == deployment.replicas
            && count("availableReplicas") >= deployment.replicas
        if isComplete {
            return kept(
                [
                    "type": "Progressing", "status": "True", "reason": "NewReplicaSetAvailable",
                    "message": .string("ReplicaSet \"\(name)\" has successfully progressed."),
                ], before, now)
        }
        let moved = ["replicas", "updatedReplicas", "readyReplicas", "availableReplicas"].contains {
            status[$0] != deployment.status[$0]
        }
        let isNew = status["observedGeneration"] != deployment.status["observedGeneration"]
        let since = last?["lastUpdateTime"]?.stringValue.flatMap { WallTime(iso8601: $0) } ?? now
        let deadline = deployment.spec["progressDeadlineSeconds"]?.intValue ?? 600
        if !moved, !isNew, last?["reason"] != "NewReplicaSetAvailable", now.seconds - since.seconds > deadline {
            return kept(
                [
                    "type": "Progressing", "status": "False", "reason": "ProgressDeadlineExceeded",
                    "message": .string("ReplicaSet \"\(name)\" has timed out progressing."),
                ], before, now)
        }
        var condition = kept(
            [
                "type": "Progressing", "status": "True", "reason": "ReplicaSetUpdated",
                "message": .string("ReplicaSet \"\(name)\" is progressing."),
            ], before, now)
        if moved || isNew { condition["lastUpdateTime"] = .string(now.iso8601()) }
        return condition
    }

    /// `condition` with the times of the one of its type before, where it says the same.
    private static func kept(_ condition: JSON, _ before: [JSON], _ now: WallTime) -> JSON {
        var condition = condition
        let last = before.first { $0["type"] == condition["type"] }
        let time: JSON = .string(now.iso8601())
        let isSameStatus = last?["status"] == condition["status"]
        let isSame = isSameStatus && last?["reason"] == condition["reason"] && last?["message"] == condition["message"]
        condition["lastTransitionTime"] = isSameStatus ? last?["lastTransitionTime"] ?? time : time
        condition["lastUpdateTime"] = isSame ? last?["lastUpdateTime"] ?? time : time
        return condition
    }
}
