extension ResourceKind {
    /// Status is written with the object: Argo's definition of the kind has no status subresource.
    package static let workflow = ResourceKind(
        group: "argoproj.io", version: "v1alpha1", kind: "Workflow", plural: "workflows", shortNames: ["wf"],
        categories: ["all"], countsGenerations: true, selectableFields: ["status.phase"])

    static let argo = [workflow]
}
