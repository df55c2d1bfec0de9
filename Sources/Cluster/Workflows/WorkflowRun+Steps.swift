// Templates of steps: groups one after another, the steps of a group at the same time.

import Formats

extension WorkflowRun {
    mutating func executeSteps(_ template: JSON, _ call: Call, _ scope: WorkflowScope) throws(WorkflowFault)
        -> WorkflowNode
    {
        let node = try ensureNode(call, kind: .steps)
        var previous = [node.id]
        for (index, group) in (template["steps"]?.arrayValue ?? []).enumerated() {
            let groupName = "\(call.nodeName)[\(index)]"
            let groupID = id(groupName)
            if let done = nodes[groupID], done.isDone {
                if done.phase.isBad { return complete(node.id, done.phase, done.message) ?? node }
                collectStepValues(groupID, of: node.id)
                previous = outbound(groupID)
                continue
            }
            let groupCall = Call(
                nodeName: groupName, displayName: "[\(index)]", templateName: "", template: nil, arguments: [:],
                boundaryID: node.id, depth: call.depth)
            if nodes[groupID] == nil {
                _ = try makeNode(groupCall, kind: .stepGroup)
                for parent in previous { addChild(groupID, to: parent) }
            }
            let inner = scope.adding(stepValues[node.id] ?? [:])
            let result = try executeGroup(group, groupID, template, call, node.id, inner)
            guard result.isDone else { return nodes[node.id] ?? node }
            if result.phase.isBad { return complete(node.id, result.phase, result.message) ?? node }
            collectStepValues(groupID, of: node.id)
            previous = outbound(groupID)
        }
        nodes[node.id]?.outboundNodes = previous
        do throws(WorkflowFault) {
            try setCompositeOutputs(template, node.id, scope.adding(stepValues[node.id] ?? [:]))
        } catch {
            return complete(node.id, .error, error.description) ?? node
        }
        return complete(node.id, .succeeded) ?? node
    }

    /// The nodes after which the next group comes.
    private func outbound(_ groupID: String) -> [String] {
        guard let children = nodes[groupID]?.children, !children.isEmpty else { return [groupID] }
        return children.flatMap { child -> [String] in
            guard let node = nodes[child], !node.outboundNodes.isEmpty else { return [child] }
            return node.outboundNodes
        }
    }

    private mutating func executeGroup(
        _ group: JSON, _ groupID: String, _ template: JSON, _ call: Call, _ boundary: String, _ scope: WorkflowScope
    ) throws(WorkflowFault) -> WorkflowNode {
        guard let groupNode = nodes[groupID] else { throw WorkflowFault("a step group is missing") }
        let steps: [ExpandedStep]
        if let known = expansions[groupID] {
            steps = known
        } else {
            do throws(WorkflowFault) {
                steps = try expand(group.arrayValue ?? [group], prefix: groupNode.name, boundary, scope)
            } catch {
                return complete(groupID, .error, error.description) ?? groupNode
            }
            expansions[groupID] = steps
        }
        let limit = parallelism(template, scope)
        var active = steps.reduce(0) { $0 + ((node(named: $1.nodeName).map { !$0.isDone } ?? false) ? 1 : 0) }
        var isDone = true
        var failure: WorkflowNode?
        let failsFast = template["failFast"]?.boolValue ?? true
        for step in steps {
            let existing = node(named: step.nodeName)
            if existing == nil {
                if failure != nil, limit != nil, failsFast { continue }
                if let limit, active >= limit {
                    isDone = false
                    continue
                }
            }
            let child: WorkflowNode
            if let existing, existing.isDone { child = existing } else { child = try execute(step, call, boundary) }
            if existing == nil {
                addChild(child.id, to: groupID)
                if !child.isDone { active += 1 }
            } else if !(existing?.isDone ?? true), child.isDone {
                active -= 1
            }
            if !child.isDone { isDone = false }
            if child.phase.isBad, !step.continues(after: child.phase), failure == nil { failure = child }
        }
        guard isDone else { return nodes[groupID] ?? groupNode }
        if let failure { return complete(groupID, failure.phase, "child '\(failure.id)' failed") ?? groupNode }
        return complete(groupID, .succeeded) ?? groupNode
    }

    /// Runs one step of a group or one task of a DAG, or notes why it does not run.
    mutating func execute(_ step: ExpandedStep, _ parent: Call, _ boundary: String) throws(WorkflowFault)
        -> WorkflowNode
    {
        let call = Call(
            nodeName: step.nodeName, displayName: step.displayName, templateName: step.templateName,
            template: step.template, arguments: step.arguments, boundaryID: boundary, depth: parent.depth + 1)
        if let reason = step.skipReason {
            var node = try makeNode(call, kind: .skipped, phase: .skipped)
            node.message = reason
            insert(node)
            return node
        }
        if let fault = step.fault {
            _ = try makeNode(call, kind: .skipped)
            guard let node = complete(id(step.nodeName), .error, fault) else { throw WorkflowFault(fault) }
            return node
        }
        return try execute(call, WorkflowScope([globals]))
    }

    func parallelism(_ template: JSON, _ scope: WorkflowScope) -> Int? {
        guard let value = template["parallelism"],
            let text = try? TemplateText.substitute(TemplateText.text(value), scope), let limit = Int(text), limit > 0
        else { return nil }
        return limit
    }

    private mutating func collectStepValues(_ groupID: String, of boundary: String) {
        guard let group = nodes[groupID] else { return }
        let marker = "\u{0}\(groupID)"
        guard stepValues[boundary]?[marker] == nil else { return }
        stepValues[boundary, default: [:]][marker] = ""
        var loops: [String: [WorkflowNode]] = [:]
        var names: [String] = []
        for child in group.children.compactMap({ nodes[$0] }) {
            let base = ExpandedStep.baseName(child.displayName)
            if loops[base] == nil { names.append(base) }
            loops[base, default: []].append(child)
        }
        for name in names {
            let members = loops[name] ?? []
            let isLoop = members.count > 1 || members[0].displayName != name
            stepValues[boundary, default: [:]].merge(
                isLoop ? aggregatedValues("steps.\(name)", members) : outputValues("steps.\(name)", members[0])
            ) { _, new in new }
        }
    }
}
