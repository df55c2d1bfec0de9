extension ResourceKind {
    /// Status is written with the object: Argo's definition of the kind has no status subresource.
    package static let workflow = ResourceKind(
        group: "argoproj.io", version: "v1alpha1", kind: "Workflow", plural: "workflows", shortNames: ["wf"],
        categories: ["all"], countsGenerations: true, selectableFields: ["status.phase"])

    /// Kinds of Argo that no engine here carries out. Their definitions may be installed and lists of them are empty;
    /// an object of them is refused by name.
    static let argoRefused = [
        ("WorkflowTemplate", "workflowtemplates", ["wftmpl"]),
        ("ClusterWorkflowTemplate", "clusterworkflowtemplates", ["clusterwftmpl", "cwft"]),
        ("CronWorkflow", "cronworkflows", ["cwf", "cronwf"]),
        ("WorkflowEventBinding", "workfloweventbindings", ["wfeb"]),
        ("WorkflowTaskSet", "workflowtasksets", ["wfts"]), ("WorkflowTaskResult", "workflowtaskresults", []),
        ("WorkflowArtifactGCTask", "workflowartifactgctasks", ["wfat"]),
    ].map { kind, plural, shortNames in
        ResourceKind(
            group: "argoproj.io", version: "v1alpha1", kind: kind, plural: plural, shortNames: shortNames,
            isNamespaced: kind != "ClusterWorkflowTemplate")
    }

    static let argo = [workflow] + argoRefused
}
