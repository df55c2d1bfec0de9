// The status of a pod as Kubernetes writes it, kept as a value and rendered when something changed.

import Clock
import Formats
import Runner

struct PodStatus: Sendable {
    /// The one node, and its address: steps share the host's network.
    static let nodeName = "slipway"
    static let nodeAddress = "127.0.0.1"

    enum ContainerState: Sendable, Equatable {
        case waiting(reason: String, message: String)
        case running(started: WallTime)
        case terminated(StepOutcome)
    }

    struct Container: Sendable, Equatable {
        let name: String
        let image: String
        var imageID: String
        var state: ContainerState
        var last: StepOutcome?
        var restartCount = 0
        /// What its probes say while it runs; true without probes.
        var isReady = true
        var isStarted = true
    }

    /// The pod's own address.
    var address = PodStatus.nodeAddress

    var phase = "Pending"
    var reason: String?
    var message: String?
    var started: WallTime?
    var scheduled = true
    var schedulingMessage: String?
    var initial: [Container] = []
    var containers: [Container] = []

    init(spec: JSON) {
        func containers(_ key: String, reason: String) -> [Container] {
            (spec[key]?.arrayValue ?? []).map {
                Container(
                    name: $0["name"]?.stringValue ?? "", image: $0["image"]?.stringValue ?? "",
                    imageID: $0["image"]?.stringValue ?? "",
                    state: .waiting(reason: reason, message: ""))
            }
        }
        initial = containers("initContainers", reason: "PodInitializing")
        self.containers = containers("containers", reason: initial.isEmpty ? "ContainerCreating" : "PodInitializing")
    }

    var isOver: Bool { phase == "Succeeded" || phase == "Failed" }

    private var isInitialized: Bool {
        initial.allSatisfy { if case .terminated(let outcome) = $0.state { outcome.exitCode == 0 } else { false } }
    }

    private var isReady: Bool {
        phase == "Running" && containers.allSatisfy { if case .running = $0.state { $0.isReady } else { false } }
    }

    /// The `status` object. Condition times are kept from `previous` where the condition did not change.
    func json(previous: JSON, qosClass: String = "BestEffort") -> JSON {
        var status: JSON = ["phase": .string(phase)]
        let overReason = phase == "Succeeded" ? "PodCompleted" : phase == "Failed" ? "PodFailed" : "ContainersNotReady"
        var conditions: [JSON] = []
        func condition(_ type: String, _ holds: Bool, reason: String? = nil, message: String? = nil) {
            let value = holds ? "True" : "False"
            let before = (previous["conditions"]?.arrayValue ?? []).first { $0["type"]?.stringValue == type }
            var entry: JSON = ["type": .string(type), "status": .string(value), "lastProbeTime": .null]
            entry["lastTransitionTime"] =
                before?["status"]?.stringValue == value
                ? before?["lastTransitionTime"] : .string(WallTime.now.iso8601())
            if !holds, let reason { entry["reason"] = .string(reason) }
            if !holds, let message { entry["message"] = .string(message) }
            conditions.append(entry)
        }
        if scheduled {
            condition("Initialized", isInitialized, reason: "ContainersNotInitialized")
            condition("Ready", isReady, reason: overReason)
            condition("ContainersReady", isReady, reason: overReason)
        }
        condition("PodScheduled", scheduled, reason: "Unschedulable", message: schedulingMessage)
        status["conditions"] = .array(conditions)
        if let reason { status["reason"] = .string(reason) }
        if let message { status["message"] = .string(message) }
        guard scheduled else { return status }
        status["hostIP"] = .string(Self.nodeAddress)
        status["hostIPs"] = [["ip": .string(Self.nodeAddress)]]
        status["podIP"] = .string(address)
        status["podIPs"] = [["ip": .string(address)]]
        if let started { status["startTime"] = .string(started.iso8601()) }
        status["qosClass"] = .string(qosClass)
        if !initial.isEmpty { status["initContainerStatuses"] = .array(initial.map { Self.json($0, isOver: isOver) }) }
        status["containerStatuses"] = .array(containers.map { Self.json($0, isOver: isOver) })
        return status
    }

    private static func json(_ container: Container, isOver: Bool) -> JSON {
        var ready = false
        var started = false
        let state: JSON
        switch container.state {
        case .waiting(let reason, let message):
            var waiting: JSON = ["reason": .string(reason)]
            if !message.isEmpty { waiting["message"] = .string(message) }
            state = ["waiting": waiting]
        case .running(let time):
            ready = !isOver && container.isReady
            started = container.isStarted
            state = ["running": ["startedAt": .string(time.iso8601())]]
        case .terminated(let outcome):
            state = ["terminated": terminated(outcome)]
        }
        var json: JSON = [
            "name": .string(container.name), "image": .string(container.image), "imageID": .string(container.imageID),
            "ready": .bool(ready), "started": .bool(started), "restartCount": JSON(container.restartCount),
            "state": state, "lastState": [:],
        ]
        if let last = container.last { json["lastState"] = ["terminated": terminated(last)] }
        return json
    }

    private static func terminated(_ outcome: StepOutcome) -> JSON {
        var json: JSON = [
            "exitCode": JSON(outcome.exitCode),
            "reason": .string(outcome.reason == .stopped ? stopReason(outcome) : outcome.reason.rawValue),
            "startedAt": .string(outcome.started.iso8601()), "finishedAt": .string(outcome.finished.iso8601()),
        ]
        if outcome.signal != 0 { json["signal"] = JSON(outcome.signal) }
        if !outcome.message.isEmpty { json["message"] = .string(outcome.message) }
        return json
    }

    private static func stopReason(_ outcome: StepOutcome) -> String { outcome.exitCode == 0 ? "Completed" : "Error" }
}
