// `resource` templates: objects of this cluster made, changed or deleted by a workflow.

import Clock
import Formats

extension WorkflowRun {
    mutating func executeResource(
        _ template: JSON, _ call: Call, _ scope: WorkflowScope
    ) throws(WorkflowFault) -> WorkflowNode {
        let nodeID = id(call.nodeName)
        podTemplates[nodeID] = template
        if let existing = nodes[nodeID], createdPods.contains(nodeID) {
            return try checkTime(template, existing, scope)
        }
        if isSuspended, nodes[nodeID] == nil { return try ensureNode(call, kind: .pod, phase: .pending) }
        let request = try ResourceRequest(try TemplateText.substitute(template["resource"] ?? [:], scope))
        let node = try ensureNode(call, kind: .pod, phase: .running)
        // No process stands behind it: nothing is stopped or waited for when the workflow ends.
        activePods.remove(nodeID)
        podNames[nodeID] = nil
        createdPods.insert(nodeID)
        actions.append(.manageResource(nodeID: nodeID, request: request))
        return try checkTime(template, nodes[nodeID] ?? node, scope)
    }

    private mutating func checkTime(
        _ template: JSON, _ node: WorkflowNode, _ scope: WorkflowScope
    ) throws(WorkflowFault) -> WorkflowNode {
        guard let value = template["activeDeadlineSeconds"], !node.isDone else { return node }
        let text = try TemplateText.substitute(TemplateText.text(value), scope)
        guard let seconds = Int64(text), seconds > 0 else {
            throw WorkflowFault("activeDeadlineSeconds \"\(text)\" is not a number of seconds")
        }
        let deadline = node.started.advanced(seconds: seconds)
        if deadline <= now {
            return complete(node.id, .failed, "the resource was not done within \(seconds) s") ?? node
        }
        actions.append(.wake(deadline))
        return node
    }
}
