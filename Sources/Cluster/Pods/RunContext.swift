// MLflow's clients put the tags in MLFLOW_RUN_CONTEXT, a JSON object, on each run that they start. Every container here
// gets one that names its pod and step, so that a run is tied to what made it and no script needs to know. What the
// pod's own `env` says goes before it.

import Formats

/// The tags that tie a run to the pod it was made in.
enum RunContext {
    static let variable = "MLFLOW_RUN_CONTEXT"

    /// `slipway.pod`, for a step of a workflow `slipway.workflow` and `slipway.step`, and `slipway.uid` of the workflow,
    /// or of a pod alone: a name may come again.
    static func text(of pod: Resource) -> String {
        var tags: JSON = [:]
        if let workflow = pod.labels[WorkflowLabels.workflow] {
            tags["slipway.workflow"] = .string("\(pod.namespace)/\(workflow)")
            if let node = pod.annotations[WorkflowLabels.nodeName] {
                tags["slipway.step"] = .string(displayName(ofNode: node, workflow: workflow))
            }
        }
        tags["slipway.pod"] = .string("\(pod.namespace)/\(pod.name)")
        let uid = tags["slipway.workflow"] == nil ? pod.uid : pod.ownerUIDs.first ?? ""
        if !uid.isEmpty { tags["slipway.uid"] = .string(uid) }
        return String(decoding: tags.encoded, as: UTF8.self)
    }

    /// `train` for `flow[0].train`, `train(0:a.b)` for `flow[0].train(0:a.b)`: what follows the last point outside of
    /// parentheses, which hold a loop's item.
    static func displayName(ofNode node: String, workflow: String) -> String {
        guard node != workflow, node.hasPrefix(workflow) else { return node }
        var name = node.dropFirst(workflow.count)
        var depth = 0
        for index in name.indices {
            switch name[index] {
            case "(": depth += 1
            case ")": depth -= 1
            case "." where depth == 0: name = name[name.index(after: index)...]
            default: break
            }
        }
        return String(name)
    }
}
