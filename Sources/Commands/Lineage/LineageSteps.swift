import Bytes
import Formats

/// Asks the cluster about the step that tags name.
struct LineageSteps {
    /// Without a kubeconfig there is nobody to ask.
    let cluster: Part<LineagePeer>

    func step(_ origin: StepOrigin) async -> Part<WorkflowStep> {
        guard let peer = cluster.value else {
            return .unknown("\(Self.words(origin)): \(cluster.reason ?? "")")
        }
        var step = WorkflowStep(origin: origin)
        func isOther(_ json: JSON) -> Bool { origin.uid != nil && json["metadata"]?["uid"]?.stringValue != origin.uid }
        if let workflow = origin.workflow {
            guard let path = Self.path(workflow, "/apis/argoproj.io/v1alpha1", "workflows") else {
                return .absent("the tag \(LineageTags.workflow) is no namespace/name: \(workflow)")
            }
            switch await peer.ask(path) {
            case .found(let json) where !isOther(json): step = WorkflowStep(origin: origin, workflow: json)
            case .found, .absent:
                return .absent("\(Self.words(origin)): the cluster at \(peer.url) no longer has the workflow")
            case .unknown(let reason): return .unknown("\(Self.words(origin)): \(reason)")
            }
        }
        // A pod that was cleaned away is no fault: the workflow remembers the step.
        let isAlone = origin.workflow == nil
        if let path = origin.pod.flatMap({ Self.path($0, "/api/v1", "pods") }) {
            switch await peer.ask(path) {
            case .found(let json) where !isAlone || !isOther(json): step.add(pod: json)
            case .found:
                return .absent("\(Self.words(origin)): the cluster at \(peer.url) no longer has the pod")
            case .absent where isAlone:
                return .absent("\(Self.words(origin)): the cluster at \(peer.url) no longer has the pod")
            case .unknown(let reason) where isAlone:
                return .unknown("\(Self.words(origin)): \(reason)")
            case .absent, .unknown: break
            }
        }
        return .found(step)
    }

    /// `train of workflow job-ns/mnist-pipeline`, from the tags alone.
    static func words(_ origin: StepOrigin) -> String {
        guard let workflow = origin.workflow else { return "pod \(origin.pod ?? "")" }
        return origin.step.map { "\($0) of workflow \(workflow)" } ?? "workflow \(workflow)"
    }

    /// The path of the object that `name`, `namespace/name`, names; nil when it is something else.
    static func path(_ name: String, _ group: String, _ kind: String) -> String? {
        let parts = name.pieces(by: "/", omittingEmptySubsequences: false).map { PercentCoding.encode($0) }
        guard parts.count == 2, parts.allSatisfy({ !$0.isEmpty && $0 != "." && $0 != ".." }) else { return nil }
        return "\(group)/namespaces/\(parts[0])/\(kind)/\(parts[1])"
    }
}
