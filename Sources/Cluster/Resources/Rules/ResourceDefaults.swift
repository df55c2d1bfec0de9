// Values that an object gets when its author leaves them out, as far as clients or controllers here read them.

import Bytes
import Formats
import OCI

/// Fills in what a new object lacks.
enum ResourceDefaults {
    static func apply(_ kind: ResourceKind, _ object: inout JSON) {
        if kind == .namespace {
            object[path: "metadata", "labels", "kubernetes.io/metadata.name"] = object[path: "metadata", "name"]
            object[path: "spec", "finalizers"] = ["kubernetes"]
            object["status"] = ["phase": "Active"]
        } else if kind == .pod {
            if let spec = object["spec"] { object["spec"] = podSpec(spec) }
            object["status"] = ["phase": "Pending", "qosClass": "BestEffort"]
        } else if kind == .persistentVolumeClaim {
            if object[path: "spec", "volumeMode"] == nil { object[path: "spec", "volumeMode"] = "Filesystem" }
            let names = object[path: "spec", "volumeName"] ?? ""
            if object[path: "spec", "storageClassName"] == nil, names == "" {
                object[path: "spec", "storageClassName"] = .string(ClusterFurniture.storageClass)
            }
            object["status"] = ["phase": "Pending"]
        } else if kind == .persistentVolume {
            for (field, value) in [("persistentVolumeReclaimPolicy", "Retain"), ("volumeMode", "Filesystem")]
            where object[path: "spec", field] == nil {
                object[path: "spec", field] = .string(value)
            }
            // Until the controller has seen where it lies.
            object["status"] = ["phase": "Pending"]
        } else if kind == .storageClass {
            if object["reclaimPolicy"] == nil { object["reclaimPolicy"] = "Delete" }
            if object["volumeBindingMode"] == nil { object["volumeBindingMode"] = "Immediate" }
        } else if kind == .secret {
            foldStringData(&object)
            if object["type"] == nil { object["type"] = "Opaque" }
        } else if kind == .service {
            service(&object)
        } else if kind == .deployment || kind == .replicaSet {
            if object[path: "spec", "replicas"] == nil { object[path: "spec", "replicas"] = 1 }
            if kind == .deployment { deployment(&object) }
            object["status"] = [:]
        } else if kind == .job {
            job(&object)
        } else if kind == .roleBinding || kind == .clusterRoleBinding {
            if object["roleRef"] != nil, object[path: "roleRef", "apiGroup"] == nil {
                object[path: "roleRef", "apiGroup"] = .string(kind.group)
            }
        } else if kind == .customResourceDefinition {
            object["status"] = definitionStatus(object)
        } else if kind == .node {
            object["status"] = [:]
        }
    }

    /// `stringData` is written for people and read back as `data`.
    static func foldStringData(_ object: inout JSON) {
        for (key, value) in object["stringData"]?.objectValue ?? JSONObject() {
            if let text = value.stringValue { object[path: "data", key] = .string(Base64.encode(Array(text.utf8))) }
        }
        object["stringData"] = nil
    }

    private static func service(_ object: inout JSON) {
        for (field, value) in [
            ("type", "ClusterIP"), ("sessionAffinity", "None"), ("internalTrafficPolicy", "Cluster"),
            ("ipFamilies", ["IPv4"]), ("ipFamilyPolicy", "SingleStack"),
        ] as [(String, JSON)] where object[path: "spec", field] == nil {
            object[path: "spec", field] = value
        }
        if let ports = object[path: "spec", "ports"]?.arrayValue {
            object[path: "spec", "ports"] = .array(
                ports.map { port in
                    guard port.objectValue != nil else { return port }
                    var port = port
                    if port["protocol"] == nil { port["protocol"] = "TCP" }
                    if port["targetPort"] == nil { port["targetPort"] = port["port"] }
                    return port
                })
        }
        object["status"] = ["loadBalancer": [:]]
    }

    /// A write that leaves out what the Service was given keeps it.
    static func keepAddress(_ object: inout JSON, _ current: JSON) {
        guard object[path: "spec", "type"] != "ExternalName" else { return }
        for field in ["clusterIP", "clusterIPs"] {
            let sent = object[path: "spec", field]
            if sent == nil || sent == "" { object[path: "spec", field] = current[path: "spec", field] }
        }
    }

    private static func deployment(_ object: inout JSON) {
        for (field, value) in [
            ("revisionHistoryLimit", 10), ("progressDeadlineSeconds", 600), ("strategy", ["type": "RollingUpdate"]),
        ] as [(String, JSON)] where object[path: "spec", field] == nil {
            object[path: "spec", field] = value
        }
        if object[path: "spec", "strategy", "type"] == nil {
            object[path: "spec", "strategy", "type"] = "RollingUpdate"
        }
        if object[path: "spec", "strategy", "type"] == "RollingUpdate" {
            for field in ["maxSurge", "maxUnavailable"]
            where object[path: "spec", "strategy", "rollingUpdate", field] == nil {
                object[path: "spec", "strategy", "rollingUpdate", field] = "25%"
            }
        }
    }

    /// A Job finds its pods by labels that nobody else has.
    private static func job(_ object: inout JSON) {
        if object[path: "spec", "completions"] == nil, object[path: "spec", "parallelism"] == nil {
            object[path: "spec", "completions"] = 1
        }
        for (field, value) in [
            ("parallelism", 1), ("backoffLimit", 6), ("completionMode", "NonIndexed"), ("suspend", false),
            ("podReplacementPolicy", "TerminatingOrFailed"), ("manualSelector", false),
        ] as [(String, JSON)] where object[path: "spec", field] == nil {
            object[path: "spec", field] = value
        }
        object["status"] = [:]
        guard object[path: "spec", "manualSelector"] != true else { return }
        let (name, uid) = (object[path: "metadata", "name"], object[path: "metadata", "uid"])
        object[path: "spec", "selector"] = nil
        object[path: "spec", "selector", "matchLabels", controllerLabel] = uid
        for (label, value) in [
            (controllerLabel, uid), ("controller-uid", uid), ("batch.kubernetes.io/job-name", name), ("job-name", name),
        ] {
            object[path: "spec", "template", "metadata", "labels", label] = value
        }
    }

    private static let controllerLabel = "batch.kubernetes.io/controller-uid"

    private static func podSpec(_ spec: JSON) -> JSON {
        var spec = spec
        for (field, value) in [
            ("restartPolicy", "Always"), ("dnsPolicy", "ClusterFirst"), ("schedulerName", "default-scheduler"),
            ("serviceAccountName", "default"),
        ] as [(String, JSON)] where spec[field] == nil {
            spec[field] = value
        }
        if spec["terminationGracePeriodSeconds"] == nil { spec["terminationGracePeriodSeconds"] = 30 }
        if spec["securityContext"] == nil { spec["securityContext"] = [:] }
        for list in ["containers", "initContainers"] {
            guard let containers = spec[list]?.arrayValue else { continue }
            spec[list] = .array(
                containers.map { container in
                    guard container.objectValue != nil else { return container }
                    var container = container
                    if container["imagePullPolicy"] == nil {
                        let image = ImageReference(container["image"]?.stringValue ?? "")
                        let isMoving = image?.tag == "latest" && image?.digest == nil
                        container["imagePullPolicy"] = isMoving ? "Always" : "IfNotPresent"
                    }
                    if container["resources"] == nil { container["resources"] = [:] }
                    return container
                })
        }
        return spec
    }
}
