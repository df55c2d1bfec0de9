extension ResourceKind {
    package static let deployment = ResourceKind(
        group: "apps", kind: "Deployment", plural: "deployments", shortNames: ["deploy"], categories: ["all"],
        hasStatusSubresource: true, countsGenerations: true, isScalable: true)
    package static let replicaSet = ResourceKind(
        group: "apps", kind: "ReplicaSet", plural: "replicasets", shortNames: ["rs"], categories: ["all"],
        hasStatusSubresource: true, countsGenerations: true, isScalable: true, selectableFields: ["status.replicas"])
    package static let job = ResourceKind(
        group: "batch", kind: "Job", plural: "jobs", categories: ["all"], hasStatusSubresource: true,
        countsGenerations: true)
    package static let endpointSlice = ResourceKind(
        group: "discovery.k8s.io", kind: "EndpointSlice", plural: "endpointslices")

    package static let storageClass = ResourceKind(
        group: "storage.k8s.io", kind: "StorageClass", plural: "storageclasses", shortNames: ["sc"],
        isNamespaced: false)

    static let workloads = [deployment, replicaSet, job, endpointSlice, storageClass]
}
