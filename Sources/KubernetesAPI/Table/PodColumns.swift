// A pod's row says in one word what its containers are doing: the rules of `kubectl get pods`.

import Clock
import Cluster
import Formats

extension TableColumn {
    static let pod = [
        TableColumn("Ready") { resource, _ in
            let pod = PodSummary(resource)
            return .string("\(pod.readyCount)/\(pod.containerCount)")
        },
        TableColumn("Status") { resource, _ in .string(PodSummary(resource).word) },
        TableColumn("Restarts") { resource, now in .string(PodSummary(resource).restarts(now)) },
        age,
        text("IP", wide: true, ["status", "podIP"], none: "<none>"),
        text("Node", wide: true, ["spec", "nodeName"], none: "<none>"),
        text("Nominated Node", wide: true, ["status", "nominatedNodeName"], none: "<none>"),
        TableColumn("Readiness Gates", wide: true) { _, _ in "<none>" },
    ]
}

/// What a pod's statuses come to.
struct PodSummary {
    private let pod: Resource
    private let statuses: [JSON]
    private let initStatuses: [JSON]

    init(_ pod: Resource) {
        self.pod = pod
        statuses = pod.status["containerStatuses"]?.arrayValue ?? []
        initStatuses = pod.status["initContainerStatuses"]?.arrayValue ?? []
    }

    var containerCount: Int { pod.spec["containers"]?.arrayValue?.count ?? 0 }
    var readyCount: Int { statuses.count { $0["ready"] == true } }

    var word: String {
        if pod.isTerminating { return pod.status["reason"]?.stringValue == "NodeLost" ? "Unknown" : "Terminating" }
        let phase = pod.status["reason"]?.stringValue ?? pod.status["phase"]?.stringValue ?? "Unknown"
        if let initialising { return initialising }
        var word = phase
        var isAnyRunning = false
        for status in statuses.reversed() {
            if let reason = status[path: "state", "waiting", "reason"]?.stringValue, !reason.isEmpty {
                word = reason
            } else if let ended = status[path: "state", "terminated"] {
                word = Self.word(forEnded: ended)
            } else if status["ready"] == true, status[path: "state", "running"] != nil {
                isAnyRunning = true
            }
        }
        if word == "Completed", isAnyRunning { word = isReady ? "Running" : "NotReady" }
        return word
    }

    /// The progress of init containers, while they are what the pod is at.
    private var initialising: String? {
        let count = pod.spec["initContainers"]?.arrayValue?.count ?? 0
        for (index, status) in initStatuses.enumerated() {
            if let ended = status[path: "state", "terminated"] {
                if ended["exitCode"]?.intValue == 0 { continue }
                return "Init:\(Self.word(forEnded: ended))"
            }
            if let reason = status[path: "state", "waiting", "reason"]?.stringValue, !reason.isEmpty,
                reason != "PodInitializing"
            {
                return "Init:\(reason)"
            }
            return "Init:\(index)/\(count)"
        }
        return nil
    }

    private static func word(forEnded state: JSON) -> String {
        if let reason = state["reason"]?.stringValue, !reason.isEmpty { return reason }
        if let signal = state["signal"]?.intValue, signal != 0 { return "Signal:\(signal)" }
        return "ExitCode:\(state["exitCode"]?.intValue ?? 0)"
    }

    private var isReady: Bool {
        (pod.status["conditions"]?.arrayValue ?? []).contains { $0["type"] == "Ready" && $0["status"] == "True" }
    }

    func restarts(_ now: WallTime) -> String {
        let count = statuses.reduce(0) { $0 + ($1["restartCount"]?.intValue ?? 0) }
        let last = statuses.compactMap { $0[path: "lastState", "terminated", "finishedAt"]?.stringValue }.max()
        guard count > 0, let last else { return "\(count)" }
        return "\(count) (\(Ages.text(since: last, now)) ago)"
    }
}
