// Rules of volumes and their classes: folders of this machine are all there is to make a volume of.

import Formats

extension RuleChecker {
    /// Names the source of volumes that the platform makes for claims.
    static let driver = "slipway.dev"
    static let provisioner = "slipway.dev/folder"
    private static let absentSources = [
        "nfs", "iscsi", "fc", "rbd", "cephfs", "awsElasticBlockStore", "gcePersistentDisk", "azureDisk", "azureFile",
        "local",
    ]

    mutating func persistentVolume() {
        let spec = object["spec"] ?? [:]
        require(spec["accessModes"], "spec.accessModes", "at least 1 access mode is required")
        for mode in spec["accessModes"]?.arrayValue ?? [] {
            oneOf(mode, "spec.accessModes", ["ReadOnlyMany", "ReadWriteMany", "ReadWriteOnce", "ReadWriteOncePod"])
        }
        if let storage = spec[path: "capacity", "storage"] {
            quantity(storage, "spec.capacity[storage]")
        } else {
            causes.append(.required("spec.capacity[storage]"))
        }
        for source in Self.absentSources where spec[source] != nil {
            causes.append(
                .invalid("spec.\(source)", value: .string(source), "is not supported here; use hostPath"))
        }
        let name = object[path: "metadata", "name"]?.stringValue ?? ""
        if let csi = spec["csi"] {
            if csi["driver"]?.stringValue != Self.driver || !name.hasPrefix("pvc-") {
                causes.append(.invalid("spec.csi", value: .string("csi"), "is not supported here; use hostPath"))
            }
        } else if spec["hostPath"]?["path"]?.stringValue?.hasPrefix("/") != true {
            causes.append(.required("spec.hostPath.path", "an absolute path of this machine"))
        } else {
            // Nothing here removes folders of the machine's owner.
            oneOf(spec["persistentVolumeReclaimPolicy"], "spec.persistentVolumeReclaimPolicy", ["Retain"])
        }
        immutable(["spec", "hostPath"], "spec.persistentvolumesource is immutable after creation")
        immutable(["spec", "csi"], "spec.persistentvolumesource is immutable after creation")
    }

    mutating func storageClass() {
        require(object["provisioner"], "provisioner")
        oneOf(object["provisioner"], "provisioner", [Self.provisioner, "kubernetes.io/no-provisioner"])
        oneOf(object["volumeBindingMode"], "volumeBindingMode", ["Immediate", "WaitForFirstConsumer"])
        immutable(["provisioner"], "updates to provisioner are forbidden.")
    }
}
