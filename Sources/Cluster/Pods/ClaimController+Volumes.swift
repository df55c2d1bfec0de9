// Volumes as objects: one is shown for each claim that has a folder of the platform, and those that people make of
// folders of the host wait for a claim that fits.

import Formats

extension ClaimController {
    /// Shows the volume of a claim that has a folder of the platform.
    func publish(_ claim: Resource) async {
        let key = ResourceKey(.persistentVolume, name: claim.provisionedName)
        guard context.store.find(key) == nil else { return }
        var spec: JSON = [
            "accessModes": claim.status["accessModes"] ?? ["ReadWriteOnce"], "claimRef": Self.reference(to: claim),
            "capacity": claim.status["capacity"] ?? ["storage": "1Gi"], "persistentVolumeReclaimPolicy": "Delete",
            "csi": ["driver": .string(RuleChecker.driver), "volumeHandle": .string(claim.provisionedName)],
        ]
        spec["storageClassName"] = claim.spec["storageClassName"]
        let object: JSON = [
            "metadata": [
                "name": .string(key.name),
                "annotations": ["pv.kubernetes.io/provisioned-by": .string(RuleChecker.provisioner)],
            ], "spec": spec,
        ]
        await ControllerLoop.attempt("volumes") {
            let made = try await context.store.create(.persistentVolume, object)
            await refresh(made)
        }
    }

    /// True for a claim whose class makes volumes.
    func hasProvisioner(_ claim: Resource) -> Bool {
        if claim.isProvisioned { return true }
        let name = claim.spec["storageClassName"]?.stringValue ?? ""
        let found = context.store.find(ResourceKey(.storageClass, name: name))
        return claim.volumeName.isEmpty && found?.json["provisioner"]?.stringValue == RuleChecker.provisioner
    }

    private static func reference(to claim: Resource) -> JSON {
        [
            "apiVersion": "v1", "kind": "PersistentVolumeClaim", "namespace": .string(claim.namespace),
            "name": .string(claim.name), "uid": .string(claim.uid),
        ]
    }

    /// Binds a claim to a volume that somebody made: the one it names, else the smallest that fits.
    func match(_ claim: Resource) async {
        let named = claim.volumeName
        if !named.isEmpty {
            guard let volume = context.store.find(ResourceKey(.persistentVolume, name: named)) else {
                return await record(claim, "FailedBinding", "volume \"\(named)\" not found")
            }
            if let fault = VolumeMatch.fault(of: volume, for: claim) {
                return await record(
                    claim, "VolumeMismatch", "Cannot bind to requested volume \"\(named)\": \(fault)")
            }
            return await bind(claim, to: volume)
        }
        let fitting = context.store.list(.persistentVolume).items.filter {
            VolumeMatch.fault(of: $0, for: claim) == nil
        }
        if let volume = fitting.min(by: { VolumeMatch.bytes(of: $0) < VolumeMatch.bytes(of: $1) }) {
            return await bind(claim, to: volume)
        }
        let name = claim.spec["storageClassName"]?.stringValue ?? ""
        let known = context.store.find(ResourceKey(.storageClass, name: name)) != nil
        await record(
            claim, name.isEmpty || known ? "FailedBinding" : "ProvisioningFailed",
            name.isEmpty || known
                ? "no persistent volumes available for this claim"
                : "storageclass.storage.k8s.io \"\(name)\" not found, and no volume of that class fits; name the class "
                    + "\"\(ClusterFurniture.storageClass)\" or make a PersistentVolume")
    }

    private func bind(_ claim: Resource, to volume: Resource) async {
        await ControllerLoop.attempt("volumes") {
            // The volume first: two claims may want it.
            try await context.store.update(volume.key) { current in
                guard VolumeMatch.fault(of: current, for: claim) == nil else {
                    throw ClusterError.conflict(volume.kind, volume.name, "it was bound meanwhile")
                }
                var object = current.json
                object[path: "spec", "claimRef"] = Self.reference(to: claim)
                object[path: "status", "phase"] = "Bound"
                return object
            }
            try await bind(
                claim, to: volume.name, volume.spec["accessModes"] ?? [], volume.spec["capacity"] ?? [:])
        }
    }

    /// Brings a volume's phase up to date.
    func refresh(_ volume: Resource) async {
        guard !volume.isTerminating else { return }
        var status: JSON = ["phase": "Available"]
        let reference = volume.spec["claimRef"] ?? [:]
        let path = volume.spec["hostPath"]?["path"]?.stringValue
        if let path, !PodVolumes.isAllowed(path, context.settings().hostPaths) {
            status = [
                "phase": "Failed", "reason": "HostPathNotAllowed",
                "message": .string(
                    "hostPath \(path) is not among the folders this server allows; start it with that folder in "
                        + "--host-paths"),
            ]
        } else if let uid = reference["uid"]?.stringValue {
            status["phase"] = holder(reference)?.uid == uid ? "Bound" : "Released"
        }
        guard status != volume.status else { return }
        await ControllerLoop.attempt("volumes") {
            try await context.store.updateStatus(volume.key) { _ in status }
        }
    }

    private func holder(_ reference: JSON) -> Resource? {
        context.store.find(
            ResourceKey(
                .persistentVolumeClaim, namespace: reference["namespace"]?.stringValue ?? "",
                name: reference["name"]?.stringValue ?? ""))
    }

    /// A volume came, changed or went: claims may wait for it, or have lost it.
    func changed(_ event: ResourceEvent) async {
        let claims = context.store.list(.persistentVolumeClaim).items.filter { !$0.isTerminating }
        guard event.change == .deleted else {
            await refresh(event.resource)
            for claim in claims where claim.status["phase"] == "Pending" && !hasProvisioner(claim) {
                await match(claim)
            }
            return
        }
        for claim in claims where claim.volumeName == event.resource.name && claim.status["phase"] == "Bound" {
            if claim.volumeName == claim.provisionedName {
                await publish(claim)
            } else {
                await ControllerLoop.attempt("volumes") {
                    try await context.store.updateStatus(claim.key) { _ in ["phase": "Lost"] }
                }
                await record(claim, "ClaimLost", "Bound claim has lost its PersistentVolume; the folder is as it was")
            }
        }
    }

    /// The claim is gone: a volume of the platform goes with it, another stays as it is.
    func release(_ claim: Resource) async {
        guard let volume = context.store.find(ResourceKey(.persistentVolume, name: claim.volumeName)) else { return }
        if claim.volumeName == claim.provisionedName {
            await ControllerLoop.attempt("volumes") { try await context.store.delete(volume.key) }
        } else {
            await refresh(volume)
        }
    }
}

/// Whether a volume can serve a claim.
enum VolumeMatch {
    static func bytes(of volume: Resource) -> Int64 {
        volume.spec["capacity"]?["storage"]?.stringValue.flatMap { Quantity($0) }?.units ?? 0
    }

    /// Why not; nil when it can.
    static func fault(of volume: Resource, for claim: Resource) -> String? {
        if volume.isTerminating || volume.status["phase"] == "Failed" || volume.status["phase"] == "Pending" {
            return volume.status["message"]?.stringValue ?? "it is not available"
        }
        if let reference = volume.spec["claimRef"] {
            let uid = reference["uid"]?.stringValue ?? claim.uid
            guard reference["namespace"]?.stringValue == claim.namespace, reference["name"]?.stringValue == claim.name,
                uid == claim.uid
            else { return "volume already bound to a different claim." }
        }
        if let wanted = claim.spec["storageClassName"]?.stringValue,
            wanted != volume.spec["storageClassName"]?.stringValue ?? ""
        {
            return "storageClassName does not match"
        }
        let wanted = claim.spec["resources"]?["requests"]?["storage"]?.stringValue.flatMap { Quantity($0) }
        if let wanted, bytes(of: volume) < wanted.units { return "requested PV is too small" }
        let modes = volume.spec["accessModes"]?.arrayValue ?? []
        guard (claim.spec["accessModes"]?.arrayValue ?? []).allSatisfy(modes.contains) else {
            return "incompatible accessMode"
        }
        return nil
    }
}

extension Resource {
    /// The volume that a claim names or is bound to; empty for none.
    var volumeName: String { spec["volumeName"]?.stringValue ?? "" }

    /// The name of the volume that a claim gets from the platform.
    var provisionedName: String { "pvc-\(uid)" }

    /// True for a claim that gets a folder of the platform.
    var isProvisioned: Bool {
        volumeName.isEmpty && spec["storageClassName"]?.stringValue == ClusterFurniture.storageClass
    }
}
