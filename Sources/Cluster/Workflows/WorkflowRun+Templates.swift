// One template as one node: inputs, retries, and the choice between the kinds of templates.

import Clock
import Formats

extension WorkflowRun {
    /// Runs `call` as far as it goes now. Faults of the template itself become a node in phase Error.
    mutating func execute(_ call: Call, _ scope: WorkflowScope) throws(WorkflowFault) -> WorkflowNode {
        let existing = node(named: call.nodeName)
        if let existing, existing.isDone { return existing }
        guard call.depth < Self.depthMax else {
            throw WorkflowFault("templates are nested more than \(Self.depthMax) deep at \(call.nodeName)")
        }
        do throws(WorkflowFault) {
            guard let template = call.template ?? templates[call.templateName] else {
                throw WorkflowFault("template name '\(call.templateName)' undefined")
            }
            let inputs = if let known = existing?.inputs { known } else { try resolveInputs(template, call) }
            let node = try execute(template, call, inputs, scope)
            if nodes[node.id]?.inputs == nil, !(inputs.objectValue?.isEmpty ?? true) { nodes[node.id]?.inputs = inputs }
            return nodes[node.id] ?? node
        } catch {
            let failed = try ensureNode(call, kind: .skipped)
            var replaced = WorkflowNode(
                id: failed.id, name: failed.name, displayName: failed.displayName,
                kind: existing?.kind ?? Self.kind(call.template ?? templates[call.templateName]),
                started: failed.started)
            replaced.templateName = call.templateName
            replaced.boundaryID = call.boundaryID
            replaced.children = failed.children
            insert(replaced)
            return complete(failed.id, .error, error.description) ?? failed
        }
    }

    private static func kind(_ template: JSON?) -> WorkflowNode.Kind {
        guard let template else { return .skipped }
        if template["steps"] != nil { return .steps }
        if template["dag"] != nil { return .dag }
        if template["suspend"] != nil { return .suspend }
        return .pod
    }

    private mutating func execute(
        _ template: JSON, _ call: Call, _ inputs: JSON, _ scope: WorkflowScope
    ) throws(WorkflowFault) -> WorkflowNode {
        let inner = WorkflowScope([globals, inputValues(template, inputs), call.extra])
        if let strategy = template["retryStrategy"], !call.isAttempt {
            return try executeRetry(call, strategy: try TemplateText.substitute(strategy, inner), scope)
        }
        if template["steps"] != nil { return try executeSteps(template, call, inner) }
        if template["dag"] != nil { return try executeDAG(template, call, inner) }
        if let suspend = template["suspend"] {
            return try executeSuspend(try TemplateText.substitute(suspend, inner), call)
        }
        if template["resource"] != nil { return try executeResource(template, call, inner) }
        return try executePod(template, call, inputs, inner)
    }

    // MARK: Inputs

    /// The inputs of `template` with the values that `call` gives or the template defaults to.
    private func resolveInputs(_ template: JSON, _ call: Call) throws(WorkflowFault) -> JSON {
        var given: [String: JSON] = [:]
        for argument in call.arguments["parameters"]?.arrayValue ?? [] {
            given[argument["name"]?.stringValue ?? ""] = argument["value"]
        }
        let base = WorkflowScope([globals, call.extra])
        var parameters: [JSON] = []
        for parameter in template["inputs"]?["parameters"]?.arrayValue ?? [] {
            let key = parameter["name"]?.stringValue ?? ""
            let value: String
            if let argument = given[key] {
                value = TemplateText.text(argument)
            } else if let own = parameter["value"] ?? parameter["default"] ?? parameter["valueFrom"]?["default"] {
                value = try TemplateText.substitute(TemplateText.text(own), base)
            } else if let found = try configMapParameter(try TemplateText.substitute(parameter, base)) {
                value = found
            } else {
                throw WorkflowFault("inputs.parameters.\(key) was not supplied")
            }
            if let choices = parameter["enum"]?.arrayValue, !choices.contains(where: { TemplateText.text($0) == value })
            {
                throw WorkflowFault("inputs.parameters.\(key): \"\(value)\" is not one of its enum values")
            }
            parameters.append(["name": .string(key), "value": .string(value)])
        }
        var sources: [String: JSON] = [:]
        for argument in call.arguments["artifacts"]?.arrayValue ?? [] {
            sources[argument["name"]?.stringValue ?? ""] = argument
        }
        var artifacts: [JSON] = []
        for artifact in template["inputs"]?["artifacts"]?.arrayValue ?? [] {
            let key = artifact["name"]?.stringValue ?? ""
            var resolved = artifact
            if let source = sources[key] {
                resolved["raw"] = source["raw"]
                resolved["s3"] = source["s3"]
            }
            if resolved["raw"] == nil, resolved["s3"] == nil {
                if resolved["optional"]?.boolValue == true { continue }
                let other = artifact.objectValue?.keys.first { WorkflowRules.foreignStores.contains($0) }
                throw WorkflowFault(
                    other.map {
                        "inputs.artifacts.\(key): \($0) artifacts are not supported here; use raw, or an output of another step"
                    }
                        ?? "inputs.artifacts.\(key) was not supplied")
            }
            artifacts.append(resolved)
        }
        var inputs = JSONObject()
        if !parameters.isEmpty { inputs["parameters"] = .array(parameters) }
        if !artifacts.isEmpty { inputs["artifacts"] = .array(artifacts) }
        return .object(inputs)
    }

    private func inputValues(_ template: JSON, _ inputs: JSON) -> [String: String] {
        var values: [String: String] = [:]
        let parameters = inputs["parameters"]?.arrayValue ?? []
        for parameter in parameters {
            values["inputs.parameters.\(parameter["name"]?.stringValue ?? "")"] = TemplateText.text(
                parameter["value"] ?? "")
        }
        values["inputs.parameters"] = TemplateText.text(.array(parameters))
        for artifact in template["inputs"]?["artifacts"]?.arrayValue ?? [] {
            values["inputs.artifacts.\(artifact["name"]?.stringValue ?? "").path"] = artifact["path"]?.stringValue ?? ""
        }
        for artifact in inputs["artifacts"]?.arrayValue ?? [] {
            values["inputs.artifacts.\(artifact["name"]?.stringValue ?? "")"] = TemplateText.text(artifact)
        }
        for kind in ["parameters", "artifacts"] {
            for output in template["outputs"]?[kind]?.arrayValue ?? [] {
                let path = output["path"]?.stringValue ?? output["valueFrom"]?["path"]?.stringValue
                values["outputs.\(kind).\(output["name"]?.stringValue ?? "").path"] = path
            }
        }
        return values
    }

    // MARK: Retry

    private mutating func executeRetry(
        _ call: Call, strategy: JSON, _ scope: WorkflowScope
    ) throws(WorkflowFault) -> WorkflowNode {
        let node = try ensureNode(call, kind: .retry)
        guard let last = nodes[node.id]?.children.last.flatMap({ nodes[$0] }) else {
            return try startAttempt(0, of: node.id, call, scope)
        }
        let index = (nodes[node.id]?.children.count ?? 1) - 1
        let current = last.isDone ? last : try attempt(index, of: node.id, call, scope)
        guard current.isDone else { return nodes[node.id] ?? node }
        if current.phase.isGood {
            nodes[node.id]?.outputs = current.outputs
            return complete(node.id, .succeeded) ?? node
        }
        if let stop = try reasonToStop(strategy, current, attempts: index + 1, node) {
            nodes[node.id]?.outputs = current.outputs
            return complete(node.id, current.phase, stop.isEmpty ? current.message : stop) ?? node
        }
        if let time = try backoff(strategy, current, attempts: index + 1, first: node.started) {
            guard time.due <= now else {
                actions.append(.wake(time.due))
                nodes[node.id]?.message = "Backoff for \(time.text)"
                return nodes[node.id] ?? node
            }
        }
        nodes[node.id]?.message = ""
        return try startAttempt(index + 1, of: node.id, call, scope)
    }

    private mutating func startAttempt(
        _ index: Int, of parent: String, _ call: Call, _ scope: WorkflowScope
    ) throws(WorkflowFault) -> WorkflowNode {
        let child = try attempt(index, of: parent, call, scope)
        addChild(child.id, to: parent)
        nodes[child.id]?.isRetried = true
        // It may have ended already, with an error in its template.
        if child.isDone { actions.append(.wake(now)) }
        guard let node = nodes[parent] else { throw WorkflowFault("a retried node is missing") }
        return node
    }

    private mutating func attempt(
        _ index: Int, of parent: String, _ call: Call, _ scope: WorkflowScope
    ) throws(WorkflowFault) -> WorkflowNode {
        var attempt = call
        attempt.nodeName = "\(call.nodeName)(\(index))"
        attempt.displayName = "\(call.displayName)(\(index))"
        attempt.isAttempt = true
        attempt.extra["retries"] = String(index)
        attempt.extra["lastRetry.exitCode"] = "0"
        attempt.extra["lastRetry.status"] = ""
        attempt.extra["lastRetry.message"] = ""
        attempt.extra["lastRetry.duration"] = "0"
        if index > 0, let before = self.node(named: "\(call.nodeName)(\(index - 1))") {
            attempt.extra["lastRetry.exitCode"] = before.outputs?["exitCode"]?.stringValue ?? "-1"
            attempt.extra["lastRetry.status"] = before.phase.rawValue
            attempt.extra["lastRetry.message"] = before.message
            attempt.extra["lastRetry.duration"] = String(
                ((before.finished ?? now).nanoseconds - before.started.nanoseconds) / 1_000_000_000)
        }
        return try execute(attempt, scope)
    }

    /// Why no further attempt is made; nil when one is due.
    private func reasonToStop(
        _ strategy: JSON, _ last: WorkflowNode, attempts: Int, _ node: WorkflowNode
    ) throws(WorkflowFault) -> String? {
        if shutdown != nil { return "" }
        let isError = last.phase == .error
        switch strategy["retryPolicy"]?.stringValue ?? "OnFailure" {
        case "Always": break
        case "OnFailure": if isError { return "" }
        case "OnError": if !isError { return "" }
        case "OnTransientError": return ""
        case let other: throw WorkflowFault("\"\(other)\" is not a valid retryPolicy")
        }
        if let limit = strategy["limit"] {
            guard let count = Int(TemplateText.text(limit)) else {
                throw WorkflowFault("retryStrategy.limit \"\(TemplateText.text(limit))\" is not a number")
            }
            if attempts > count { return "No more retries left" }
        }
        if let text = strategy["backoff"]?["maxDuration"]?.stringValue, !text.isEmpty {
            let seconds = try WorkflowDuration.seconds(text)
            if Double(now.nanoseconds - node.started.nanoseconds) / 1e9 > seconds {
                return "Max duration limit exceeded"
            }
        }
        return nil
    }

    private func backoff(
        _ strategy: JSON, _ last: WorkflowNode, attempts: Int, first: WallTime
    ) throws(WorkflowFault) -> (due: WallTime, text: String)? {
        guard let backoff = strategy["backoff"], let text = backoff["duration"]?.stringValue, !text.isEmpty else {
            return nil
        }
        var seconds = try WorkflowDuration.seconds(text)
        if let factor = backoff["factor"].flatMap({ Double(TemplateText.text($0)) }) {
            for _ in 1..<max(1, min(attempts, 64)) { seconds *= factor }
        }
        if let cap = backoff["cap"]?.stringValue, !cap.isEmpty {
            seconds = min(seconds, try WorkflowDuration.seconds(cap))
        }
        seconds = min(seconds, 366 * 86_400)
        let due = WallTime(nanoseconds: (last.finished ?? now).nanoseconds + Int64(seconds * 1e9))
        return (due, "\(WorkflowDuration.text(seconds))")
    }

    // MARK: Suspend

    private mutating func executeSuspend(_ suspend: JSON, _ call: Call) throws(WorkflowFault) -> WorkflowNode {
        let node = try ensureNode(call, kind: .suspend)
        guard let text = suspend["duration"].map(TemplateText.text), !text.isEmpty else { return node }
        let due = WallTime(nanoseconds: node.started.nanoseconds + Int64(try WorkflowDuration.seconds(text) * 1e9))
        if due <= now { return complete(node.id, .succeeded) ?? node }
        actions.append(.wake(due))
        return node
    }
}

/// Durations as Argo reads them: seconds, or Go's `1h2m3.5s`.
enum WorkflowDuration {
    static func seconds(_ text: String) throws(WorkflowFault) -> Double {
        if let plain = Double(text), plain >= 0, plain.isFinite { return plain }
        var total = 0.0
        var rest = text[...]
        var isValid = !text.isEmpty
        while !rest.isEmpty {
            let number = rest.prefix { $0.isNumber || $0 == "." }
            rest = rest.dropFirst(number.count)
            let unit = rest.prefix { $0.isLetter }
            rest = rest.dropFirst(unit.count)
            let scales = ["ns": 1e-9, "us": 1e-6, "ms": 1e-3, "s": 1, "m": 60, "h": 3600, "d": 86_400]
            guard let value = Double(number), let scale = scales[String(unit)] else {
                isValid = false
                break
            }
            total += value * scale
        }
        guard isValid, total.isFinite else { throw WorkflowFault("\"\(text)\" is not a duration, such as 30 or 1h30m") }
        return total
    }

    static func text(_ seconds: Double) -> String {
        let whole = Int(seconds)
        let parts = [(whole / 3600, "h"), (whole / 60 % 60, "m"), (whole % 60, "s")].filter { $0.0 > 0 }
        return parts.isEmpty ? "0s" : parts.map { "\($0.0)\($0.1)" }.joined()
    }
}
