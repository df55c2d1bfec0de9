extension ResourceKind {
    package static let namespace = ResourceKind(
        kind: "Namespace", plural: "namespaces", shortNames: ["ns"], isNamespaced: false, hasStatusSubresource: true,
        nameRule: .label, selectableFields: ["status.phase"])
    package static let pod = ResourceKind(
        kind: "Pod", plural: "pods", shortNames: ["po"], categories: ["all"], hasStatusSubresource: true,
        countsGenerations: true, deletesGracefully: true,
        selectableFields: [
            "spec.nodeName", "spec.restartPolicy", "spec.schedulerName", "spec.serviceAccountName", "spec.hostNetwork",
            "status.phase", "status.podIP", "status.nominatedNodeName",
        ])
    package static let configMap = ResourceKind(kind: "ConfigMap", plural: "configmaps", shortNames: ["cm"])
    package static let secret = ResourceKind(kind: "Secret", plural: "secrets", selectableFields: ["type"])
    package static let serviceAccount = ResourceKind(
        kind: "ServiceAccount", plural: "serviceaccounts", shortNames: ["sa"])
    package static let persistentVolumeClaim = ResourceKind(
        kind: "PersistentVolumeClaim", plural: "persistentvolumeclaims", shortNames: ["pvc"], hasStatusSubresource: true
    )
    package static let persistentVolume = ResourceKind(
        kind: "PersistentVolume", plural: "persistentvolumes", shortNames: ["pv"], isNamespaced: false,
        hasStatusSubresource: true)
    package static let service = ResourceKind(
        kind: "Service", plural: "services", shortNames: ["svc"], categories: ["all"], hasStatusSubresource: true,
        nameRule: .label, selectableFields: ["spec.clusterIP", "spec.type"])
    package static let endpoints = ResourceKind(kind: "Endpoints", plural: "endpoints", shortNames: ["ep"])
    package static let event = ResourceKind(
        kind: "Event", plural: "events", shortNames: ["ev"],
        selectableFields: [
            "involvedObject.kind", "involvedObject.namespace", "involvedObject.name", "involvedObject.uid",
            "involvedObject.apiVersion", "involvedObject.resourceVersion", "involvedObject.fieldPath", "reason",
            "reportingComponent", "source", "type",
        ])
    package static let node = ResourceKind(
        kind: "Node", plural: "nodes", shortNames: ["no"], isNamespaced: false, hasStatusSubresource: true,
        selectableFields: ["spec.unschedulable"])

    static let core = [
        namespace, pod, configMap, secret, serviceAccount, persistentVolumeClaim, persistentVolume, service, endpoints,
        event,
        node,
    ]
}
