// A workflow as a value: its specification, its nodes, and one operation, `advance`, that brings the nodes up to date and
// says what is to be done in the world. No input or output happens here, so every rule is tested without a process.
//
// `advance` walks the templates from the entrypoint, as Argo's controller does. Nodes that are done are not walked again,
// and names of nodes follow from where they stand, so that walking twice, or again after a restart, changes nothing.

import Clock
import Formats

struct WorkflowRun: Sendable {
    enum Phase: String, Sendable {
        case running = "Running"
        case succeeded = "Succeeded"
        case failed = "Failed"
        case error = "Error"
    }

    /// What the controller is to do.
    enum Action: Sendable, Equatable {
        case createPod(name: String, manifest: JSON)
        /// End the processes of the pod of this node.
        case stopPod(name: String)
        case createClaim(JSON)
        case manageResource(nodeID: String, request: ResourceRequest)
        /// Advance again at this time at the latest.
        case wake(WallTime)
    }

    /// How a pod ended.
    struct PodResult: Sendable, Equatable {
        var phase: WorkflowNode.Phase
        var message = ""
        var started: WallTime
        var finished: WallTime
        var exitCode: Int?
        /// Standard output, at most `PodPlan.resultBytesMax + 1` bytes.
        var result: [UInt8]?
        /// What was collected, by the position in the template's list; nil for a missing file.
        var collected: [Collected?] = []
    }

    enum Collected: Sendable, Equatable {
        case text([UInt8])
        case tooLarge
        /// An archive, under this key of the artifact folder.
        case archive(key: String)
    }

    /// Depth of templates within templates.
    static let depthMax = 100
    /// Nodes of one workflow.
    static let nodeCountMax = 50_000

    let name: String
    let namespace: String
    let uid: String
    let resource: Resource
    let spec: JSON
    let templates: [String: JSON]
    /// Looks up a key of a ConfigMap in the workflow's namespace.
    let configMapValue: @Sendable (String, String) -> String?

    var nodes: [String: WorkflowNode] = [:]
    var order: [String] = []
    var phase: Phase?
    var message = ""
    var started: WallTime
    var finished: WallTime?
    /// Values of `{{workflow...}}`.
    var globals: [String: String] = [:]
    var globalOutputs: [JSON] = []
    var shutdown: String?
    var isSuspended = false

    // Rebuilt as needed; nothing here must survive a restart.
    var actions: [Action] = []
    var now: WallTime
    var expansions: [String: [ExpandedStep]] = [:]
    var dags: [String: DAGPlan] = [:]
    var stepValues: [String: [String: String]] = [:]
    var activePods: Set<String> = []
    /// Names of pods by node id, for those that are active.
    var podNames: [String: String] = [:]
    var stopped: Set<String> = []
    /// Nodes whose pods were asked for since this value was made.
    var createdPods: Set<String> = []
    var podTemplates: [String: JSON] = [:]

    init(
        workflow: Resource, now: WallTime, configMapValue: @escaping @Sendable (String, String) -> String?
    ) {
        resource = workflow
        name = workflow.name
        namespace = workflow.namespace
        uid = workflow.uid
        spec = workflow.spec
        self.configMapValue = configMapValue
        self.now = now
        started = now
        var templates: [String: JSON] = [:]
        for template in workflow.spec["templates"]?.arrayValue ?? [] {
            templates[template["name"]?.stringValue ?? ""] = template
        }
        self.templates = templates
        shutdown = workflow.spec["shutdown"]?.stringValue
        isSuspended = workflow.spec["suspend"]?.boolValue ?? false
        restore(workflow.status)
        setGlobals()
    }

    private mutating func restore(_ status: JSON) {
        phase = status["phase"]?.stringValue.flatMap { Phase(rawValue: $0) }
        message = status["message"]?.stringValue ?? ""
        started = status["startedAt"]?.stringValue.flatMap { WallTime(iso8601: $0) } ?? now
        finished = status["finishedAt"]?.stringValue.flatMap { WallTime(iso8601: $0) }
        globalOutputs = status["outputs"]?["parameters"]?.arrayValue ?? []
        for (_, json) in status["nodes"]?.objectValue ?? JSONObject() {
            guard let node = WorkflowNode(json: json) else { continue }
            insert(node)
            if node.kind == .pod, !node.isDone, !node.message.hasPrefix("waiting: ") {
                activePods.insert(node.id)
                podNames[node.id] = NodeIdentity.podName(workflow: name, template: node.templateName, name: node.name)
            }
        }
    }

    private mutating func setGlobals() {
        globals = [
            "workflow.name": name, "workflow.namespace": namespace, "workflow.uid": uid,
            "workflow.serviceAccountName": spec["serviceAccountName"]?.stringValue ?? "default",
            "workflow.mainEntrypoint": spec["entrypoint"]?.stringValue ?? "",
            "workflow.creationTimestamp": resource.metadata["creationTimestamp"]?.stringValue ?? "",
            "workflow.creationTimestamp.RFC3339": resource.metadata["creationTimestamp"]?.stringValue ?? "",
            "workflow.priority": spec["priority"]?.intValue.map(String.init) ?? "0",
            "workflow.status": "Running", "workflow.failures": "[]",
        ]
        if let created = resource.metadata["creationTimestamp"]?.stringValue, let time = WallTime(iso8601: created) {
            globals["workflow.creationTimestamp.s"] = String(time.seconds)
        }
        for (key, value) in resource.labels { globals["workflow.labels.\(key)"] = value }
        for (key, value) in resource.annotations { globals["workflow.annotations.\(key)"] = value }
        for output in globalOutputs { addGlobalOutput(output) }
    }

    mutating func addGlobalOutput(_ output: JSON) {
        guard let name = output["name"]?.stringValue, let value = output["value"] else { return }
        globals["workflow.outputs.parameters.\(name)"] = TemplateText.text(value)
    }

    var isDone: Bool { finished != nil }

    // MARK: The one operation

    /// Brings the workflow forward as far as it can go now.
    mutating func advance(at time: WallTime) -> [Action] {
        now = time
        actions = []
        guard !isDone else { return [] }
        do throws(WorkflowFault) {
            try begin()
            try checkDeadline()
            try walk()
        } catch {
            finish(.error, error.description)
        }
        if isDone { stopAll() }
        return actions
    }

    private mutating func begin() throws(WorkflowFault) {
        if phase == nil {
            started = now
            phase = .running
            try WorkflowRules.check(spec)
        }
        guard globals["workflow.parameters"] == nil else { return }
        var list: [JSON] = []
        for parameter in spec["arguments"]?["parameters"]?.arrayValue ?? [] {
            let key = parameter["name"]?.stringValue ?? ""
            let value: String
            if let given = parameter["value"] ?? parameter["default"] {
                value = TemplateText.text(given)
            } else if let found = try configMapParameter(parameter) {
                value = found
            } else {
                throw WorkflowFault("spec.arguments.\(key).value or spec.arguments.\(key).valueFrom is required")
            }
            globals["workflow.parameters.\(key)"] = value
            list.append(["name": .string(key), "value": .string(value)])
        }
        let text = String(decoding: JSON.array(list).encoded, as: UTF8.self)
        globals["workflow.parameters"] = text
        globals["workflow.parameters.json"] = text
        for template in spec["volumeClaimTemplates"]?.arrayValue ?? [] {
            var claim: JSON = ["spec": template["spec"] ?? [:]]
            claim["metadata"] = [
                "name": .string("\(name)-\(template["metadata"]?["name"]?.stringValue ?? "")"),
                "ownerReferences": [resource.ownerReference],
            ]
            actions.append(.createClaim(claim))
        }
    }

    func configMapParameter(_ parameter: JSON) throws(WorkflowFault) -> String? {
        guard let reference = parameter["valueFrom"]?["configMapKeyRef"] else { return nil }
        let map = reference["name"]?.stringValue ?? ""
        let key = reference["key"]?.stringValue ?? ""
        if let value = configMapValue(map, key) { return value }
        if let standard = parameter["valueFrom"]?["default"]?.stringValue { return standard }
        if reference["optional"]?.boolValue == true { return "" }
        throw WorkflowFault("ConfigMap \"\(map)\" has no key \"\(key)\" in namespace \(namespace), or does not exist")
    }

    private mutating func checkDeadline() throws(WorkflowFault) {
        guard let seconds = spec["activeDeadlineSeconds"]?.intValue else { return }
        let deadline = started.advanced(seconds: seconds)
        if deadline <= now {
            failOpenNodes("Step exceeded its deadline")
            finish(.failed, "Max duration limit exceeded")
        } else {
            actions.append(.wake(deadline))
        }
    }

    private mutating func walk() throws(WorkflowFault) {
        guard !isDone else { return }
        if shutdown != nil { return stopOnRequest() }
        let arguments = spec["arguments"] ?? [:]
        let root = try execute(
            Call(
                nodeName: name, displayName: name, templateName: spec["entrypoint"]?.stringValue ?? "",
                template: nil, arguments: try resolvedEntryArguments(arguments), boundaryID: "", depth: 0),
            WorkflowScope([globals]))
        guard root.isDone else { return }
        if let handler = spec["onExit"]?.stringValue, !handler.isEmpty {
            let exit = try executeExitHandler(handler, after: root)
            guard exit.isDone else { return }
            if exit.phase.isBad, root.phase.isGood {
                return finish(exit.phase == .error ? .error : .failed, exit.message)
            }
        }
        switch root.phase {
        case .failed: finish(.failed, root.message)
        case .error: finish(.error, root.message)
        default: finish(.succeeded, "")
        }
    }

    private func resolvedEntryArguments(_ arguments: JSON) throws(WorkflowFault) -> JSON {
        var list: [JSON] = []
        for parameter in arguments["parameters"]?.arrayValue ?? [] {
            let key = parameter["name"]?.stringValue ?? ""
            list.append(["name": .string(key), "value": .string(globals["workflow.parameters.\(key)"] ?? "")])
        }
        var resolved: JSON = ["parameters": .array(list)]
        if let artifacts = arguments["artifacts"] { resolved["artifacts"] = artifacts }
        return resolved
    }

    private mutating func executeExitHandler(_ handler: String, after root: WorkflowNode) throws(WorkflowFault)
        -> WorkflowNode
    {
        let status = root.phase.isGood ? "Succeeded" : root.phase.rawValue
        globals["workflow.status"] = status
        globals["workflow.duration"] = String(Double(now.nanoseconds - started.nanoseconds) / 1e9)
        var failures: [JSON] = []
        for id in order {
            guard let node = nodes[id], node.phase.isBad, node.kind == .pod else { continue }
            failures.append([
                "displayName": .string(node.displayName), "message": .string(node.message),
                "templateName": .string(node.templateName), "phase": .string(node.phase.rawValue),
                "podName": .string(NodeIdentity.podName(workflow: name, template: node.templateName, name: node.name)),
                "finishedAt": .string((node.finished ?? now).iso8601()),
            ])
        }
        globals["workflow.failures"] = String(decoding: JSON.array(failures).encoded, as: UTF8.self)
        let node = try execute(
            Call(
                nodeName: "\(name).onExit", displayName: "\(name).onExit", templateName: handler, template: nil,
                arguments: try resolvedEntryArguments(spec["arguments"] ?? [:]), boundaryID: "", depth: 0),
            WorkflowScope([globals]))
        nodes[node.id]?.isHook = true
        return node
    }

    private mutating func stopOnRequest() {
        // Stop and Terminate differ in Argo by whether exit handlers run; here neither starts anything any more.
        failOpenNodes("workflow shutdown with strategy: \(shutdown ?? "")")
        if activePods.isEmpty { finish(.failed, "Stopped with strategy '\(shutdown ?? "")'") }
    }

    /// Ends what has not ended: pods are stopped and waited for, the rest fails at once.
    private mutating func failOpenNodes(_ reason: String) {
        for id in order where nodes[id].map({ !$0.isDone && $0.kind != .pod }) ?? false {
            complete(id, .failed, reason)
        }
        stopAll()
    }

    private mutating func stopAll() {
        for id in activePods.sorted() { stopPod(id) }
    }

    mutating func stopPod(_ id: String) {
        guard stopped.insert(id).inserted, let pod = podNames[id] else { return }
        actions.append(.stopPod(name: pod))
    }

    mutating func finish(_ phase: Phase, _ message: String) {
        self.phase = phase
        self.message = message
        finished = now
    }

    // MARK: Nodes

    mutating func insert(_ node: WorkflowNode) {
        if nodes.updateValue(node, forKey: node.id) == nil { order.append(node.id) }
    }

    /// Makes a node that runs from now on.
    mutating func makeNode(
        _ call: Call, kind: WorkflowNode.Kind, phase: WorkflowNode.Phase = .running
    ) throws(WorkflowFault) -> WorkflowNode {
        guard nodes.count < Self.nodeCountMax else {
            throw WorkflowFault("the workflow has more than \(Self.nodeCountMax) nodes")
        }
        var node = WorkflowNode(
            id: id(call.nodeName), name: call.nodeName, displayName: call.displayName, kind: kind, started: now)
        node.templateName = call.templateName
        node.boundaryID = call.boundaryID
        node.phase = phase
        if phase.isDone { node.finished = now }
        insert(node)
        return node
    }

    /// The node of `call` as it stands, or a new one.
    mutating func ensureNode(
        _ call: Call, kind: WorkflowNode.Kind, phase: WorkflowNode.Phase = .running
    ) throws(WorkflowFault) -> WorkflowNode {
        if let known = node(named: call.nodeName) { return known }
        return try makeNode(call, kind: kind, phase: phase)
    }

    func id(_ nodeName: String) -> String { NodeIdentity.id(workflow: name, name: nodeName) }
    func node(named nodeName: String) -> WorkflowNode? { nodes[id(nodeName)] }

    mutating func addChild(_ child: String, to parent: String) {
        if nodes[parent]?.children.contains(child) == false { nodes[parent]?.children.append(child) }
    }

    @discardableResult
    mutating func complete(_ id: String, _ phase: WorkflowNode.Phase, _ message: String = "") -> WorkflowNode? {
        nodes[id]?.phase = phase
        nodes[id]?.message = message
        nodes[id]?.finished = now
        return nodes[id]
    }

    // MARK: Status

    /// The `status` object, as Argo writes it.
    func status() -> JSON {
        guard let phase else { return ["phase": "", "startedAt": .null, "finishedAt": .null] }
        var rendered = JSONObject()
        var completed = 0
        var total = 0
        for id in order {
            guard let node = nodes[id] else { continue }
            let isPod = node.kind == .pod
            if isPod {
                total += 1
                if node.isDone { completed += 1 }
            }
            rendered[id] = node.json(workflow: name, completed: isPod && node.isDone ? 1 : 0, total: isPod ? 1 : 0)
        }
        var status: JSON = [
            "phase": .string(phase.rawValue), "startedAt": .string(started.iso8601()),
            "finishedAt": finished.map { .string($0.iso8601()) } ?? .null,
            "progress": .string("\(completed)/\(total)"), "nodes": .object(rendered),
        ]
        if !message.isEmpty { status["message"] = .string(message) }
        var conditions: [JSON] = [["type": "PodRunning", "status": activePods.isEmpty ? "False" : "True"]]
        if isDone { conditions.append(["type": "Completed", "status": "True"]) }
        status["conditions"] = .array(conditions)
        if !globalOutputs.isEmpty { status["outputs"] = ["parameters": .array(globalOutputs)] }
        return status
    }
}

/// A template to be run as a node.
struct Call: Sendable {
    var nodeName: String
    var displayName: String
    var templateName: String
    /// The template itself when it stands in line; else it is looked up by name.
    var template: JSON?
    /// `parameters` with final values, and `artifacts` with their sources.
    var arguments: JSON
    var boundaryID: String
    var depth: Int
    /// Values of the one attempt, such as `retries`.
    var extra: [String: String] = [:]
    var isAttempt = false
}
