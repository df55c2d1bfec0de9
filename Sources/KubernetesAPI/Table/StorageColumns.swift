// Columns of volumes and their classes.

import Cluster
import Formats

extension TableColumn {
    static let persistentVolume = [
        TableColumn("Capacity") { resource, _ in resource.spec["capacity"]?["storage"] ?? "" },
        TableColumn("Access Modes") { resource, _ in accessModes(resource.spec["accessModes"]) },
        text("Reclaim Policy", ["spec", "persistentVolumeReclaimPolicy"]),
        TableColumn("Status") { resource, _ in
            resource.isTerminating ? "Terminating" : resource.status["phase"] ?? ""
        },
        TableColumn("Claim") { resource, _ in
            guard let claim = resource.spec["claimRef"] else { return "" }
            return .string("\(claim["namespace"]?.stringValue ?? "")/\(claim["name"]?.stringValue ?? "")")
        },
        text("StorageClass", ["spec", "storageClassName"]),
        text("VolumeAttributesClass", ["spec", "volumeAttributesClassName"], none: "<unset>"),
        text("Reason", ["status", "reason"]), age,
        text("VolumeMode", wide: true, ["spec", "volumeMode"]),
    ]

    static let storageClass = [
        TableColumn("Name", format: "name") { resource, _ in
            let isDefault = resource.annotations["storageclass.kubernetes.io/is-default-class"] == "true"
            return .string(isDefault ? "\(resource.name) (default)" : resource.name)
        },
        text("Provisioner", ["provisioner"]), text("ReclaimPolicy", ["reclaimPolicy"]),
        text("VolumeBindingMode", ["volumeBindingMode"]),
        TableColumn("AllowVolumeExpansion") { resource, _ in
            .string(resource.json["allowVolumeExpansion"]?.boolValue == true ? "true" : "false")
        }, age,
    ]

    static func accessModes(_ modes: JSON?) -> JSON {
        let short = [
            "ReadWriteOnce": "RWO", "ReadOnlyMany": "ROX", "ReadWriteMany": "RWX", "ReadWriteOncePod": "RWOP",
        ]
        let names = (modes?.arrayValue ?? []).compactMap(\.stringValue)
        return .string(names.map { short[$0] ?? $0 }.joined(separator: ","))
    }
}
