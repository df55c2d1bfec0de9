// What a node hands on: values for `{{steps.NAME...}}` and `{{tasks.NAME...}}`, the outputs of composite templates, and of
// pods.

import Bytes
import Clock
import Formats

extension WorkflowRun {
    /// The values that `prefix` (`steps.NAME`) offers of `node`.
    func outputValues(_ prefix: String, _ node: WorkflowNode) -> [String: String] {
        var values: [String: String] = [
            "\(prefix).id": node.id, "\(prefix).status": node.phase.rawValue, "\(prefix).ip": PodStatus.nodeAddress,
            "\(prefix).startedAt": node.started.iso8601(), "\(prefix).finishedAt": (node.finished ?? now).iso8601(),
            "\(prefix).hostNodeName": PodStatus.nodeName, "\(prefix).message": node.message,
        ]
        if let code = node.outputs?["exitCode"]?.stringValue { values["\(prefix).exitCode"] = code }
        if let result = node.result { values["\(prefix).outputs.result"] = result }
        for parameter in node.outputs?["parameters"]?.arrayValue ?? [] {
            guard let name = parameter["name"]?.stringValue, let value = parameter["value"] else { continue }
            values["\(prefix).outputs.parameters.\(name)"] = TemplateText.text(value)
        }
        if node.phase == .skipped || node.phase == .omitted {
            // A step that did not run still has the outputs its template gives defaults for.
            for output in templates[node.templateName]?["outputs"]?["parameters"]?.arrayValue ?? [] {
                guard let name = output["name"]?.stringValue, let value = output["valueFrom"]?["default"] else {
                    continue
                }
                values["\(prefix).outputs.parameters.\(name)"] = TemplateText.text(value)
            }
        }
        if let parameters = node.outputs?["parameters"] {
            values["\(prefix).outputs.parameters"] = TemplateText.text(parameters)
        }
        for artifact in node.outputs?["artifacts"]?.arrayValue ?? [] {
            guard let name = artifact["name"]?.stringValue else { continue }
            values["\(prefix).outputs.artifacts.\(name)"] = TemplateText.text(artifact)
        }
        return values
    }

    /// The values of a step that ran once for each item: results as JSON arrays.
    func aggregatedValues(_ prefix: String, _ members: [WorkflowNode]) -> [String: String] {
        var values: [String: String] = [:]
        let ran = members.filter { $0.phase != .skipped && $0.phase != .omitted }
        func asJSON(_ text: String) -> JSON {
            // As Argo: results that are JSON go into the array as such.
            (try? JSON.parse(Array(text.utf8))).flatMap { value in
                switch value {
                case .object, .array: value
                default: nil
                }
            } ?? .string(text)
        }
        let results = ran.compactMap(\.result)
        if !results.isEmpty || ran.isEmpty {
            values["\(prefix).outputs.result"] = TemplateText.text(.array(results.map(asJSON)))
        }
        var byName: [String: [JSON]] = [:]
        var maps: [JSON] = []
        for node in ran {
            var map = JSONObject()
            for parameter in node.outputs?["parameters"]?.arrayValue ?? [] {
                guard let name = parameter["name"]?.stringValue, let value = parameter["value"] else { continue }
                byName[name, default: []].append(asJSON(TemplateText.text(value)))
                map[name] = value
            }
            if !map.isEmpty { maps.append(.object(map)) }
        }
        for (name, list) in byName { values["\(prefix).outputs.parameters.\(name)"] = TemplateText.text(.array(list)) }
        values["\(prefix).outputs.parameters"] = TemplateText.text(.array(maps))
        let worst = members.first { $0.phase.isBad } ?? members.first
        values["\(prefix).status"] = worst?.phase.rawValue ?? "Succeeded"
        return values
    }

    /// Sets the outputs of a template of steps or tasks from those of its children.
    mutating func setCompositeOutputs(_ template: JSON, _ nodeID: String, _ scope: WorkflowScope) throws(WorkflowFault)
    {
        var parameters: [JSON] = []
        for output in template["outputs"]?["parameters"]?.arrayValue ?? [] {
            let name = output["name"]?.stringValue ?? ""
            let source = output["valueFrom"] ?? [:]
            guard let reference = source["parameter"]?.stringValue ?? output["value"].map(TemplateText.text) else {
                throw WorkflowFault("outputs.parameters.\(name): only valueFrom.parameter is supported here")
            }
            let value: String
            do throws(WorkflowFault) {
                value = try TemplateText.substitute(reference, scope)
            } catch {
                guard let standard = source["default"].map(TemplateText.text) else { throw error }
                value = standard
            }
            addParameter(name, value, globalName: output["globalName"]?.stringValue, to: &parameters)
        }
        var artifacts: [JSON] = []
        for output in template["outputs"]?["artifacts"]?.arrayValue ?? [] {
            guard let from = output["from"]?.stringValue else { continue }
            let name = TemplateText.name(from)
            guard let text = scope[name], let artifact = try? JSON.parse(Array(text.utf8)) else {
                if output["optional"]?.boolValue == true { continue }
                throw WorkflowFault("outputs.artifacts: \(from) was not produced")
            }
            var renamed = artifact
            renamed["name"] = output["name"]
            artifacts.append(renamed)
        }
        var outputs = JSONObject()
        if !parameters.isEmpty { outputs["parameters"] = .array(parameters) }
        if !artifacts.isEmpty { outputs["artifacts"] = .array(artifacts) }
        if !outputs.isEmpty { nodes[nodeID]?.outputs = .object(outputs) }
    }

    private mutating func addParameter(
        _ name: String, _ value: String, globalName: String?, to parameters: inout [JSON]
    ) {
        var parameter: JSON = ["name": .string(name), "value": .string(value)]
        if let globalName {
            parameter["globalName"] = .string(globalName)
            let global: JSON = ["name": .string(globalName), "value": .string(value)]
            globalOutputs.removeAll { $0["name"]?.stringValue == globalName }
            globalOutputs.append(global)
            addGlobalOutput(global)
        }
        parameters.append(parameter)
    }

    // MARK: Pods

    /// Takes in that the process of a pod began.
    mutating func podStarted(_ nodeID: String) {
        if nodes[nodeID]?.phase == .pending { nodes[nodeID]?.phase = .running }
    }

    /// Takes in why a pod waits.
    mutating func podWaits(_ nodeID: String, _ reason: String) {
        guard let node = nodes[nodeID], !node.isDone else { return }
        nodes[nodeID]?.message = reason
    }

    /// Takes in how a pod ended.
    mutating func podEnded(_ nodeID: String, _ result: PodResult) {
        guard let node = nodes[nodeID], !node.isDone else { return }
        activePods.remove(nodeID)
        podNames[nodeID] = nil
        nodes[nodeID]?.started = result.started
        nodes[nodeID]?.phase = result.phase
        nodes[nodeID]?.message = result.message
        nodes[nodeID]?.finished = result.finished
        if stopped.contains(nodeID), result.phase.isBad, shutdown != nil {
            nodes[nodeID]?.message = "workflow shutdown with strategy: \(shutdown ?? "")"
        }
        var outputs = JSONObject()
        do throws(WorkflowFault) {
            if let template = podTemplates[nodeID] ?? templates[node.templateName] {
                outputs = try podOutputs(template, result, node)
            }
        } catch {
            nodes[nodeID]?.phase = .error
            nodes[nodeID]?.message = error.description
        }
        if let code = result.exitCode { outputs["exitCode"] = .string(String(code)) }
        if !outputs.isEmpty { nodes[nodeID]?.outputs = .object(outputs) }
    }

    private mutating func podOutputs(
        _ template: JSON, _ result: PodResult, _ node: WorkflowNode
    ) throws(WorkflowFault) -> JSONObject {
        var outputs = JSONObject()
        if let bytes = result.result {
            var kept = bytes[...]
            while kept.last == UInt8(ascii: "\n") || kept.last == UInt8(ascii: "\r") { kept = kept.dropLast() }
            guard kept.count <= PodPlan.resultBytesMax else {
                throw WorkflowFault(
                    "outputs.result is longer than \(PodPlan.resultBytesMax) bytes; write it to a file and pass that")
            }
            outputs["result"] = .string(String(utf8: kept))
        }
        // A failed step has what it wrote; only a good one must have all.
        let mustHaveAll = result.phase == .succeeded
        let declared = PodOutputs.declared(template)
        var parameters: [JSON] = []
        var artifacts: [JSON] = []
        for (index, output) in declared.enumerated() {
            let name = output.json["name"]?.stringValue ?? ""
            let found = index < result.collected.count ? result.collected[index] : nil
            switch found {
            case .text(let bytes):
                var text = bytes[...]
                if text.last == UInt8(ascii: "\n") { text = text.dropLast() }
                addParameter(
                    name, String(utf8: text), globalName: output.json["globalName"]?.stringValue, to: &parameters)
            case .tooLarge:
                throw WorkflowFault(
                    "outputs.parameters.\(name): \(output.path) is larger than 1 MiB; pass it as an artifact")
            case .archive(let key):
                artifacts.append([
                    "name": .string(name), "path": .string(output.path), "s3": ["key": .string(key)],
                ])
            case nil where output.isArtifact:
                if mustHaveAll, output.json["optional"]?.boolValue != true {
                    throw WorkflowFault("outputs.artifacts.\(name): \(output.path) does not exist")
                }
            case nil:
                if let standard = output.json["valueFrom"]?["default"].map(TemplateText.text) {
                    addParameter(name, standard, globalName: output.json["globalName"]?.stringValue, to: &parameters)
                } else if mustHaveAll {
                    throw WorkflowFault("outputs.parameters.\(name): \(output.path) does not exist")
                }
            }
        }
        if !parameters.isEmpty { outputs["parameters"] = .array(parameters) }
        if !artifacts.isEmpty { outputs["artifacts"] = .array(artifacts) }
        return outputs
    }
}

/// The outputs that a pod's files hold, in the order in which they are collected.
enum PodOutputs {
    struct Declared {
        let json: JSON
        let path: String
        let isArtifact: Bool
    }

    static func declared(_ template: JSON) -> [Declared] {
        var declared: [Declared] = []
        for output in template["outputs"]?["parameters"]?.arrayValue ?? [] {
            guard let path = output["valueFrom"]?["path"]?.stringValue else { continue }
            declared.append(Declared(json: output, path: path, isArtifact: false))
        }
        for output in template["outputs"]?["artifacts"]?.arrayValue ?? [] {
            guard let path = output["path"]?.stringValue else { continue }
            declared.append(Declared(json: output, path: path, isArtifact: true))
        }
        return declared
    }
}
