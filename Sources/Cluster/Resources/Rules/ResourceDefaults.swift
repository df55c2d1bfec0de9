// Values that an object gets when its author leaves them out, as far as clients or controllers here read them.

import Bytes
import Formats

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
            if object[path: "spec", "storageClassName"] == nil { object[path: "spec", "storageClassName"] = "local" }
            object["status"] = ["phase": "Pending"]
        } else if kind == .secret {
            foldStringData(&object)
            if object["type"] == nil { object["type"] = "Opaque" }
        } else if kind == .service {
            if object[path: "spec", "type"] == nil { object[path: "spec", "type"] = "ClusterIP" }
            if object[path: "spec", "clusterIP"] == nil { object[path: "spec", "clusterIP"] = "127.0.0.1" }
            object["status"] = ["loadBalancer": [:]]
        } else if kind == .roleBinding || kind == .clusterRoleBinding {
            if object["roleRef"] != nil, object[path: "roleRef", "apiGroup"] == nil {
                object[path: "roleRef", "apiGroup"] = .string(kind.group)
            }
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
                    if container["imagePullPolicy"] == nil { container["imagePullPolicy"] = "IfNotPresent" }
                    if container["resources"] == nil { container["resources"] = [:] }
                    return container
                })
        }
        return spec
    }
}
