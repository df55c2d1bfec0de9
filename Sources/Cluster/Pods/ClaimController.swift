// Claims: each is bound at once, to a folder of its own, of which the requested size is the stated capacity, or to a
// volume that somebody made for it. The folder goes with the claim, once no running pod uses it; a folder of the host
// stays.

import Bytes
import Files
import Formats
import Log

actor ClaimController {
    let context: PodContext
    private let logger = Logger(role: "cluster")

    init(context: PodContext) { self.context = context }

    func run() async {
        while !Task.isCancelled {
            do {
                let (list, watch) = try context.store.listAndWatch([.persistentVolumeClaim, .persistentVolume, .pod])
                for volume in list.items where volume.kind == .persistentVolume { await refresh(volume) }
                for claim in list.items where claim.kind == .persistentVolumeClaim { await see(claim) }
                await sweep()
                while true {
                    var mustSweep = false
                    for event in try await watch.next() {
                        if event.resource.kind == .persistentVolumeClaim {
                            if event.change == .deleted {
                                mustSweep = true
                                await release(event.resource)
                            } else {
                                await see(event.resource)
                            }
                        } else if event.resource.kind == .persistentVolume {
                            await changed(event)
                        } else if usesClaims(event.resource), !isActive(event.resource) || event.change == .deleted {
                            mustSweep = true
                        }
                    }
                    if mustSweep { await sweep() }
                }
            } catch is CancellationError {
                return
            } catch {
                logger.warning("claims are listed again", [("reason", "\(error)")])
                try? await Task.sleep(nanoseconds: 100_000_000)
            }
        }
    }

    /// Binds a claim that is not, and keeps the volume of one that is.
    private func see(_ claim: Resource) async {
        guard !claim.isTerminating else { return }
        switch claim.status["phase"]?.stringValue {
        case "Bound": if claim.volumeName == claim.provisionedName { await publish(claim) }
        case "Lost": return
        default:
            if hasProvisioner(claim) { await provision(claim) } else { await match(claim) }
        }
    }

    private func provision(_ claim: Resource) async {
        let path = context.settings().folders.claim(namespace: claim.namespace, name: claim.name, uid: claim.uid)
        do {
            try await context.files.run { try FileTools.makeFolder(path, mode: 0o777) }
            try await bind(
                claim, to: claim.provisionedName, claim.spec["accessModes"] ?? ["ReadWriteOnce"],
                claim.spec["resources"]?["requests"] ?? ["storage": "1Gi"])
        } catch let error as ClusterError where error.code == .notFound {
            // Deleted meanwhile.
        } catch {
            await record(claim, "ProvisioningFailed", "\(error)")
        }
    }

    func bind(_ claim: Resource, to volume: String, _ modes: JSON, _ capacity: JSON) async throws {
        try await context.store.update(claim.key) { current in
            var object = current.json
            object[path: "spec", "volumeName"] = .string(volume)
            object["status"] = ["phase": "Bound", "accessModes": modes, "capacity": capacity]
            return object
        }
    }

    func record(_ claim: Resource, _ reason: String, _ message: String) async {
        await EventRecorder(store: context.store, component: "claims").record(claim, .warning, reason: reason, message)
    }

    private func usesClaims(_ pod: Resource) -> Bool {
        (pod.spec["volumes"]?.arrayValue ?? []).contains { $0["persistentVolumeClaim"] != nil }
    }

    private func isActive(_ pod: Resource) -> Bool {
        let phase = pod.status["phase"]?.stringValue ?? "Pending"
        return phase != "Succeeded" && phase != "Failed"
    }

    /// Removes folders whose claim is gone, unless pods that may use claims are active in that namespace.
    private func sweep() async {
        let folders = context.settings().folders
        let kept = Set(
            context.store.list(.persistentVolumeClaim).items.map {
                folders.claim(namespace: $0.namespace, name: $0.name, uid: $0.uid)
            })
        let busy = Set(context.store.list(.pod).items.filter { usesClaims($0) && isActive($0) }.map(\.namespace))
        let stale =
            (try? await context.files.run {
                FileTools.names(in: folders.volumes).filter { name in
                    let namespace = name.pieces(by: "_").first.map(String.init) ?? ""
                    return !kept.contains("\(folders.volumes)/\(name)") && !busy.contains(namespace)
                }
            }) ?? []
        for name in stale { await context.files.remove("\(folders.volumes)/\(name)") }
    }
}
