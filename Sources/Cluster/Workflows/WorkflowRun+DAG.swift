// Templates of tasks that depend on one another.

import Bytes
import Formats

/// The tasks of a DAG template, worked out once.
struct DAGPlan: Sendable {
    struct Task: Sendable {
        let name: String
        let json: JSON
        let depends: DependsExpression
        let parents: [String]
        let continuesOnFailed: Bool
        let continuesOnError: Bool
    }

    /// Parents before children.
    let tasks: [Task]
    let targets: [String]
    let failsFast: Bool

    /// Throws a fault that names an unknown task or a cycle.
    init(_ dag: JSON, targetText: String) throws(WorkflowFault) {
        failsFast = dag["failFast"]?.boolValue ?? true
        var byName: [String: Task] = [:]
        var names: [String] = []
        for task in dag["tasks"]?.arrayValue ?? [] {
            let name = task["name"]?.stringValue ?? ""
            guard byName[name] == nil else { throw WorkflowFault("dag.tasks: the name \"\(name)\" is not unique") }
            let depends: DependsExpression
            if let text = task["depends"]?.stringValue, !text.isEmpty {
                depends = try DependsExpression(parsing: text)
            } else {
                depends = DependsExpression(all: (task["dependencies"]?.arrayValue ?? []).compactMap(\.stringValue))
            }
            byName[name] = Task(
                name: name, json: task, depends: depends, parents: depends.tasks,
                continuesOnFailed: task["continueOn"]?["failed"]?.boolValue ?? false,
                continuesOnError: task["continueOn"]?["error"]?.boolValue ?? false)
            names.append(name)
        }
        let wanted = targetText.pieces(by: " ").map(String.init)
        for target in wanted where byName[target] == nil {
            throw WorkflowFault("dag.target \"\(target)\" is not a task")
        }
        let inner = Set(byName.values.flatMap(\.parents))
        targets = wanted.isEmpty ? names.filter { !inner.contains($0) } : wanted
        // A depth-first walk with a stack of its own: a chain of thousands of tasks is legal.
        var done: Set<String> = []
        var open: Set<String> = []
        var sorted: [Task] = []
        for root in wanted.isEmpty ? names : wanted {
            var stack = [(name: root, next: 0)]
            while let (name, next) = stack.last {
                guard let task = byName[name] else {
                    throw WorkflowFault("dag.tasks: depends on unknown task \"\(name)\"")
                }
                if done.contains(name) {
                    stack.removeLast()
                } else if next == 0, !open.insert(name).inserted {
                    throw WorkflowFault("dag.tasks: task \"\(name)\" depends on itself")
                } else if next < task.parents.count {
                    stack[stack.count - 1].next += 1
                    let parent = task.parents[next]
                    guard byName[parent] != nil else {
                        throw WorkflowFault("dag.tasks.\(name): depends on unknown task \"\(parent)\"")
                    }
                    if open.contains(parent) { throw WorkflowFault("dag.tasks: task \"\(parent)\" depends on itself") }
                    if !done.contains(parent) { stack.append((parent, 0)) }
                } else {
                    done.insert(name)
                    open.remove(name)
                    sorted.append(task)
                    stack.removeLast()
                }
            }
        }
        tasks = sorted
    }
}

extension WorkflowRun {
    mutating func executeDAG(_ template: JSON, _ call: Call, _ scope: WorkflowScope) throws(WorkflowFault)
        -> WorkflowNode
    {
        let node = try ensureNode(call, kind: .dag)
        let dag = template["dag"] ?? [:]
        let plan: DAGPlan
        if let known = dags[node.id] {
            plan = known
        } else {
            plan = try DAGPlan(dag, targetText: try TemplateText.substitute(dag["target"]?.stringValue ?? "", scope))
            dags[node.id] = plan
        }
        let limit = parallelism(template, scope)
        var isRunning = false
        var isBlocked = false
        var active = plan.tasks.reduce(0) { $0 + ((taskNode($1.name, call).map { !$0.isDone } ?? false) ? 1 : 0) }
        for task in plan.tasks {
            if let known = taskNode(task.name, call) {
                if !known.isDone, try !executeTask(task, call, node.id, template, scope).isDone { isRunning = true }
                collectTaskValues(task, call, node.id)
                continue
            }
            let parents = task.parents.map { taskNode($0, call) }
            guard parents.allSatisfy({ $0?.isDone ?? false }) else { continue }
            if plan.failsFast, hasFinalFailure(plan, call) {
                isBlocked = true
                continue
            }
            if let limit, active >= limit {
                isRunning = true
                continue
            }
            let started = try executeTask(task, call, node.id, template, scope.adding(stepValues[node.id] ?? [:]))
            for parent in parents.compactMap({ $0?.id }) { addChild(started.id, to: parent) }
            if parents.isEmpty { addChild(started.id, to: node.id) }
            if started.isDone {
                collectTaskValues(task, call, node.id)
            } else {
                active += 1
                isRunning = true
            }
        }
        if isRunning { return nodes[node.id] ?? node }
        // A task may wait for one that ended in this very walk.
        let isWaiting = !isBlocked && plan.tasks.contains { taskNode($0.name, call) == nil }
        if isWaiting {
            actions.append(.wake(now))
            return nodes[node.id] ?? node
        }
        return try finishDAG(plan, template, call, node, scope)
    }

    private mutating func finishDAG(
        _ plan: DAGPlan, _ template: JSON, _ call: Call, _ node: WorkflowNode, _ scope: WorkflowScope
    ) throws(WorkflowFault) -> WorkflowNode {
        let ends = plan.targets.compactMap { taskNode($0, call)?.id }
        nodes[node.id]?.outboundNodes = ends
        var worst: WorkflowNode?
        let byName = Dictionary(uniqueKeysWithValues: plan.tasks.map { ($0.name, $0) })
        var seen: Set<String> = []
        func visit(_ name: String) {
            guard seen.insert(name).inserted, let task = byName[name] else { return }
            guard let node = taskNode(name, call) else {
                task.parents.forEach(visit)
                return
            }
            switch node.phase {
            case .failed where !task.continuesOnFailed, .error where !task.continuesOnError:
                if worst == nil || node.phase == .error { worst = node }
            case .omitted, .skipped: task.parents.forEach(visit)
            default: break
            }
        }
        plan.targets.forEach(visit)
        if let worst { return complete(node.id, worst.phase, "child '\(worst.id)' failed") ?? node }
        if let failed = plan.tasks.first(where: { taskNode($0.name, call) == nil }) {
            return complete(node.id, .failed, "task \"\(failed.name)\" was not started after a failure") ?? node
        }
        do throws(WorkflowFault) {
            try setCompositeOutputs(template, node.id, scope.adding(stepValues[node.id] ?? [:]))
        } catch {
            return complete(node.id, .error, error.description) ?? node
        }
        return complete(node.id, .succeeded) ?? node
    }

    private func taskNode(_ name: String, _ call: Call) -> WorkflowNode? { node(named: "\(call.nodeName).\(name)") }

    /// A failure that no later task is there to handle.
    private func hasFinalFailure(_ plan: DAGPlan, _ call: Call) -> Bool {
        plan.tasks.contains { task in
            guard let node = taskNode(task.name, call), node.phase.isBad,
                !(node.phase == .failed ? task.continuesOnFailed : task.continuesOnError)
            else { return false }
            return !plan.tasks.contains { other in
                guard other.parents.contains(task.name) else { return false }
                let phase = taskNode(other.name, call)?.phase
                return phase != .omitted && (phase != nil || canHandleFailure(of: task.name, other, plan, call))
            }
        }
    }

    /// Whether `task`, not yet started, could still start although `failed` did not succeed.
    private func canHandleFailure(of failed: String, _ task: DAGPlan.Task, _ plan: DAGPlan, _ call: Call) -> Bool {
        task.depends.holds { name, condition in
            guard let phase = taskNode(name, call)?.phase else { return true }
            return Self.matches(phase, condition)
        }
    }

    private static func matches(_ phase: WorkflowNode.Phase, _ condition: DependsExpression.Condition) -> Bool {
        switch condition {
        case .succeeded: phase == .succeeded
        case .failed: phase == .failed
        case .errored: phase == .error
        case .skipped: phase == .skipped
        case .omitted: phase == .omitted
        case .daemoned: false
        case .anySucceeded: phase == .succeeded
        case .allFailed: phase.isBad
        }
    }

    private func dependsHold(_ task: DAGPlan.Task, _ plan: [String: DAGPlan.Task], _ call: Call) -> Bool {
        let usesDependencies = task.json["depends"] == nil
        return task.depends.holds { name, condition in
            guard let node = taskNode(name, call) else { return false }
            if usesDependencies, condition == .succeeded, let parent = plan[name] {
                if node.phase == .failed, parent.continuesOnFailed { return true }
                if node.phase == .error, parent.continuesOnError { return true }
            }
            let members = node.kind == .taskGroup ? node.children.compactMap { nodes[$0] } : []
            switch condition {
            case .anySucceeded where !members.isEmpty: return members.contains { $0.phase == .succeeded }
            case .allFailed where !members.isEmpty: return members.allSatisfy { $0.phase.isBad }
            default: return Self.matches(node.phase, condition)
            }
        }
    }

    /// Starts a task whose parents are done, or goes on with one that runs.
    private mutating func executeTask(
        _ task: DAGPlan.Task, _ call: Call, _ boundary: String, _ template: JSON, _ scope: WorkflowScope
    ) throws(WorkflowFault) -> WorkflowNode {
        let taskName = "\(call.nodeName).\(task.name)"
        let taskID = id(taskName)
        let own = Call(
            nodeName: taskName, displayName: task.name, templateName: task.json["template"]?.stringValue ?? "",
            template: nil, arguments: [:], boundaryID: boundary, depth: call.depth)
        if nodes[taskID] == nil {
            let plan = Dictionary(uniqueKeysWithValues: (dags[boundary]?.tasks ?? []).map { ($0.name, $0) })
            guard dependsHold(task, plan, call) else {
                var node = try makeNode(own, kind: .skipped, phase: .omitted)
                node.message = "omitted: depends condition not met"
                insert(node)
                return node
            }
        }
        let steps: [ExpandedStep]
        if let known = expansions[taskID] {
            steps = known
        } else {
            do throws(WorkflowFault) {
                steps = try expand(
                    [task.json], prefix: call.nodeName, boundary, scope.adding(stepValues[boundary] ?? [:]))
            } catch {
                _ = try ensureNode(own, kind: .skipped)
                guard let failed = complete(taskID, .error, error.description) else { throw error }
                return failed
            }
            expansions[taskID] = steps
        }
        let isLoop = ["withItems", "withParam", "withSequence"].contains { task.json[$0] != nil }
        guard isLoop else {
            return try execute(steps[0], call, boundary)
        }
        let group = try ensureNode(own, kind: .taskGroup)
        let limit = parallelism(template, scope)
        var isDone = true
        var active = 0
        var failure: WorkflowNode?
        for step in steps {
            if node(named: step.nodeName) == nil, let limit, active >= limit {
                isDone = false
                continue
            }
            let child = try execute(step, call, boundary)
            addChild(child.id, to: taskID)
            if !child.isDone {
                isDone = false
                active += 1
            }
            if child.phase.isBad, failure == nil { failure = child }
        }
        guard isDone else { return nodes[taskID] ?? group }
        if let failure { return complete(taskID, failure.phase, "child '\(failure.id)' failed") ?? group }
        let phase: WorkflowNode.Phase =
            !steps.isEmpty && steps.allSatisfy { $0.skipReason != nil } ? .skipped : .succeeded
        return complete(taskID, phase) ?? group
    }

    private mutating func collectTaskValues(_ task: DAGPlan.Task, _ call: Call, _ boundary: String) {
        guard let node = taskNode(task.name, call), node.isDone else { return }
        let marker = "\u{0}\(node.id)"
        guard stepValues[boundary]?[marker] == nil else { return }
        stepValues[boundary, default: [:]][marker] = ""
        let prefix = "tasks.\(task.name)"
        let values: [String: String]
        if node.kind == .taskGroup {
            values = aggregatedValues(prefix, node.children.compactMap { nodes[$0] })
        } else {
            values = outputValues(prefix, node)
        }
        stepValues[boundary, default: [:]].merge(values) { _, new in new }
    }
}
