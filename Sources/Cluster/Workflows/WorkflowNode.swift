// One node of a running workflow: a pod, a group of others, or a decision that there was nothing to do. Rendered into
// `status.nodes` as Argo writes it and read back from there after a restart.

import Clock
import Formats

struct WorkflowNode: Sendable, Equatable {
    enum Kind: String, Sendable {
        case pod = "Pod"
        case steps = "Steps"
        case stepGroup = "StepGroup"
        case dag = "DAG"
        case taskGroup = "TaskGroup"
        case retry = "Retry"
        case skipped = "Skipped"
        case suspend = "Suspend"
    }

    enum Phase: String, Sendable {
        case pending = "Pending"
        case running = "Running"
        case succeeded = "Succeeded"
        case skipped = "Skipped"
        case omitted = "Omitted"
        case failed = "Failed"
        case error = "Error"

        var isDone: Bool { self != .pending && self != .running }
        var isGood: Bool { self == .succeeded || self == .skipped || self == .omitted }
        var isBad: Bool { self == .failed || self == .error }
    }

    let id: String
    let name: String
    let displayName: String
    let kind: Kind
    var templateName = ""
    var boundaryID = ""
    var phase = Phase.pending
    var message = ""
    var started: WallTime
    var finished: WallTime?
    var inputs: JSON?
    var outputs: JSON?
    var children: [String] = []
    var outboundNodes: [String] = []
    var isRetried = false
    var isHook = false

    var isDone: Bool { phase.isDone }

    /// `outputs.result`.
    var result: String? { outputs?["result"]?.stringValue }

    func json(workflow: String, completed: Int, total: Int) -> JSON {
        var json: JSON = [
            "id": .string(id), "name": .string(name), "displayName": .string(displayName),
            "type": .string(kind.rawValue),
        ]
        if !templateName.isEmpty { json["templateName"] = .string(templateName) }
        json["templateScope"] = .string("local/\(workflow)")
        json["phase"] = .string(phase.rawValue)
        if !boundaryID.isEmpty { json["boundaryID"] = .string(boundaryID) }
        if !message.isEmpty { json["message"] = .string(message) }
        json["startedAt"] = .string(started.iso8601())
        json["finishedAt"] = finished.map { .string($0.iso8601()) } ?? .null
        json["progress"] = .string("\(completed)/\(total)")
        if let inputs { json["inputs"] = inputs }
        if let outputs { json["outputs"] = outputs }
        if !children.isEmpty { json["children"] = .array(children.map(JSON.string)) }
        if !outboundNodes.isEmpty { json["outboundNodes"] = .array(outboundNodes.map(JSON.string)) }
        if kind == .pod { json["hostNodeName"] = .string(PodStatus.nodeName) }
        if isRetried || isHook {
            var flag = JSONObject()
            if isRetried { flag["retried"] = true }
            if isHook { flag["hooked"] = true }
            json["nodeFlag"] = .object(flag)
        }
        return json
    }

    init(id: String, name: String, displayName: String, kind: Kind, started: WallTime) {
        self.id = id
        self.name = name
        self.displayName = displayName
        self.kind = kind
        self.started = started
    }

    /// Reads a node of `status.nodes`; nil when it is none.
    init?(json: JSON) {
        guard let id = json["id"]?.stringValue, let name = json["name"]?.stringValue,
            let kind = json["type"]?.stringValue.flatMap({ Kind(rawValue: $0) }),
            let phase = json["phase"]?.stringValue.flatMap({ Phase(rawValue: $0) })
        else { return nil }
        let started = json["startedAt"]?.stringValue.flatMap { WallTime(iso8601: $0) } ?? .now
        self.init(
            id: id, name: name, displayName: json["displayName"]?.stringValue ?? name, kind: kind, started: started)
        self.phase = phase
        templateName = json["templateName"]?.stringValue ?? ""
        boundaryID = json["boundaryID"]?.stringValue ?? ""
        message = json["message"]?.stringValue ?? ""
        finished = json["finishedAt"]?.stringValue.flatMap { WallTime(iso8601: $0) }
        inputs = json["inputs"]
        outputs = json["outputs"]
        children = (json["children"]?.arrayValue ?? []).compactMap(\.stringValue)
        outboundNodes = (json["outboundNodes"]?.arrayValue ?? []).compactMap(\.stringValue)
        isRetried = json["nodeFlag"]?["retried"]?.boolValue == true
        isHook = json["nodeFlag"]?["hooked"]?.boolValue == true
    }
}

/// Names that clients of Argo rely on.
enum NodeIdentity {
    /// The id of the node called `name`.
    static func id(workflow: String, name: String) -> String {
        name == workflow ? workflow : "\(workflow)-\(hash(name))"
    }

    /// The name of its pod.
    static func podName(workflow: String, template: String, name: String) -> String {
        if name == workflow { return workflow }
        let suffix = "-\(hash(name))"
        return String("\(workflow)-\(template)".prefix(253 - suffix.utf8.count)) + suffix
    }

    /// FNV-1a of 32 bits.
    static func hash(_ text: String) -> UInt32 {
        text.utf8.reduce(0x811c_9dc5) { ($0 ^ UInt32($1)) &* 0x0100_0193 }
    }
}
