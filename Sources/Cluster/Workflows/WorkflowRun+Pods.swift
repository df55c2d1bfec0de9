// From a container or script template to a pod.

import Bytes
import Clock
import Formats

extension WorkflowRun {
    private static let parallelismMessage = "waiting: the workflow's parallelism is reached"

    mutating func executePod(
        _ template: JSON, _ call: Call, _ inputs: JSON, _ scope: WorkflowScope
    ) throws(WorkflowFault) -> WorkflowNode {
        let nodeID = id(call.nodeName)
        podTemplates[nodeID] = template
        if let existing = nodes[nodeID], createdPods.contains(nodeID) { return existing }
        if isSuspended, nodes[nodeID] == nil || !activePods.contains(nodeID) {
            return try ensureNode(call, kind: .pod, phase: .pending)
        }
        if let limit = parallelism(spec, scope), !activePods.contains(nodeID), activePods.count >= limit {
            let node = try ensureNode(call, kind: .pod, phase: .pending)
            nodes[nodeID]?.message = Self.parallelismMessage
            return nodes[nodeID] ?? node
        }
        let podName = NodeIdentity.podName(workflow: name, template: call.templateName, name: call.nodeName)
        let manifest = try podManifest(
            template, call, inputs, scope.adding(["pod.name": podName, "node.name": call.nodeName]), podName: podName)
        let node = try ensureNode(call, kind: .pod, phase: .pending)
        if nodes[nodeID]?.message == Self.parallelismMessage { nodes[nodeID]?.message = "" }
        activePods.insert(nodeID)
        createdPods.insert(nodeID)
        podNames[nodeID] = podName
        // After a restart this pod may exist: its name says so, and it is taken as it is.
        actions.append(.createPod(name: podName, manifest: manifest))
        return nodes[nodeID] ?? node
    }

    private func podManifest(
        _ template: JSON, _ call: Call, _ inputs: JSON, _ scope: WorkflowScope, podName: String
    ) throws(WorkflowFault) -> JSON {
        let isScript = template["script"] != nil
        guard var container = template["script"] ?? template["container"] else {
            let kind =
                template.objectValue?.keys.first { WorkflowRules.refusedTemplates.contains($0) } ?? "no container"
            throw WorkflowFault("template \"\(call.templateName)\": \(kind) is not supported here")
        }
        let source = container["source"]?.stringValue
        container["source"] = nil
        container = try TemplateText.substitute(container, scope)
        container["name"] = "main"
        var place: [JSON] = []
        if isScript {
            let path = "/argo/staging/script"
            place.append([
                "path": .string(path), "content": .string(try TemplateText.substitute(source ?? "", scope)),
                "mode": 0o755,
            ])
            container["args"] = .array((container["args"]?.arrayValue ?? []) + [.string(path)])
            if container["command"]?.arrayValue?.isEmpty ?? true {
                throw WorkflowFault("template \"\(call.templateName)\": script.command is required")
            }
        }
        for artifact in inputs["artifacts"]?.arrayValue ?? [] {
            place.append(try placed(try TemplateText.substitute(artifact, scope)))
        }
        var collect: [JSON] = []
        for output in PodOutputs.declared(template) {
            let path = try TemplateText.substitute(output.path, scope)
            guard path.hasPrefix("/") else { throw WorkflowFault("outputs: path \"\(path)\" must be absolute") }
            collect.append(["path": .string(path), "tree": .bool(output.isArtifact)])
        }

        var annotations: JSON = [
            WorkflowLabels.nodeID: .string(id(call.nodeName)), WorkflowLabels.nodeName: .string(call.nodeName),
            PodAnnotations.defaultContainer: "main", PodAnnotations.result: "true",
        ]
        if !collect.isEmpty { annotations[PodAnnotations.collect] = .string(TemplateText.text(.array(collect))) }
        if !place.isEmpty { annotations[PodAnnotations.place] = .string(TemplateText.text(.array(place))) }
        var labels: JSON = [WorkflowLabels.workflow: .string(name), WorkflowLabels.completed: "false"]
        for metadata in [spec["podMetadata"], template["metadata"]] {
            for (key, value) in try TemplateText.substitute(metadata?["labels"] ?? [:], scope).objectValue
                ?? JSONObject()
            where labels[key] == nil {
                labels[key] = value
            }
            for (key, value) in try TemplateText.substitute(metadata?["annotations"] ?? [:], scope).objectValue
                ?? JSONObject()
            where annotations[key] == nil {
                annotations[key] = value
            }
        }
        var pod: JSON = [
            "metadata": [
                "name": .string(podName), "labels": labels, "annotations": annotations,
                "ownerReferences": [resource.ownerReference],
            ]
        ]
        pod["spec"] = try podSpec(template, container, scope)
        return pod
    }

    private func podSpec(_ template: JSON, _ main: JSON, _ scope: WorkflowScope) throws(WorkflowFault) -> JSON {
        var podSpec: JSON = ["restartPolicy": "Never", "nodeName": .string(PodStatus.nodeName)]
        if let account = template["serviceAccountName"] ?? spec["serviceAccountName"] {
            podSpec["serviceAccountName"] = try TemplateText.substitute(account, scope)
        }
        var containers = [main]
        for sidecar in template["sidecars"]?.arrayValue ?? [] {
            var sidecar = try TemplateText.substitute(sidecar, scope)
            if sidecar["mirrorVolumeMounts"]?.boolValue == true { sidecar["volumeMounts"] = main["volumeMounts"] }
            sidecar["mirrorVolumeMounts"] = nil
            containers.append(sidecar)
        }
        podSpec["containers"] = .array(containers)
        let initial = try (template["initContainers"]?.arrayValue ?? []).map {
            container throws(WorkflowFault) -> JSON in
            var container = try TemplateText.substitute(container, scope)
            if container["mirrorVolumeMounts"]?.boolValue == true { container["volumeMounts"] = main["volumeMounts"] }
            container["mirrorVolumeMounts"] = nil
            return container
        }
        if !initial.isEmpty { podSpec["initContainers"] = .array(initial) }
        var volumes = (spec["volumes"]?.arrayValue ?? []) + (template["volumes"]?.arrayValue ?? [])
        for claim in spec["volumeClaimTemplates"]?.arrayValue ?? [] {
            let claimName = claim["metadata"]?["name"]?.stringValue ?? ""
            volumes.append([
                "name": .string(claimName), "persistentVolumeClaim": ["claimName": .string("\(name)-\(claimName)")],
            ])
        }
        if !volumes.isEmpty { podSpec["volumes"] = try TemplateText.substitute(.array(volumes), scope) }
        var deadline: Int64?
        if let value = template["activeDeadlineSeconds"] {
            let text = try TemplateText.substitute(TemplateText.text(value), scope)
            guard let seconds = Int64(text), seconds > 0 else {
                throw WorkflowFault("activeDeadlineSeconds \"\(text)\" is not a number of seconds")
            }
            deadline = seconds
        }
        if let timeout = template["timeout"]?.stringValue {
            let seconds = try WorkflowDuration.seconds(try TemplateText.substitute(timeout, scope))
            deadline = min(deadline ?? .max, max(1, Int64(min(seconds, 1e9))))
        }
        if let deadline { podSpec["activeDeadlineSeconds"] = .int(deadline) }
        for key in ["securityContext", "nodeSelector", "hostAliases", "dnsConfig", "imagePullSecrets"] {
            if let value = template[key] ?? spec[key] { podSpec[key] = try TemplateText.substitute(value, scope) }
        }
        return podSpec
    }

    private func placed(_ artifact: JSON) throws(WorkflowFault) -> JSON {
        let key = artifact["name"]?.stringValue ?? ""
        guard let path = artifact["path"]?.stringValue, path.hasPrefix("/"), !path.pieces(by: "/").contains("..")
        else {
            throw WorkflowFault("inputs.artifacts.\(key): path must be absolute and without \"..\"")
        }
        var entry: JSON = ["path": .string(path)]
        entry["mode"] = artifact["mode"]
        if let data = artifact["raw"]?["data"]?.stringValue {
            entry["content"] = .string(data)
        } else if let archive = artifact["s3"]?["key"]?.stringValue, artifact["s3"]?["bucket"] == nil {
            entry["archive"] = .string(archive)
        } else {
            throw WorkflowFault(
                "inputs.artifacts.\(key): s3 artifacts of other buckets are not supported here; use raw, or an output of another step"
            )
        }
        return entry
    }
}
