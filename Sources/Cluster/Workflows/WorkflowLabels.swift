/// Labels and annotations that clients of Argo look for.
enum WorkflowLabels {
    static let workflow = "workflows.argoproj.io/workflow"
    static let completed = "workflows.argoproj.io/completed"
    static let phase = "workflows.argoproj.io/phase"
    /// Annotations of pods.
    static let nodeID = "workflows.argoproj.io/node-id"
    static let nodeName = "workflows.argoproj.io/node-name"
}
