// What comes before a pod's first process: everything it needs, waited for until it is there.

import Formats
import Images
import Runner

extension PodWorker {
    /// The plan, once everything the pod needs is there; nil when it was stopped or refused.
    func prepare() async -> PodPlan? {
        var delayMilliseconds = 1000
        while stopping == nil {
            do {
                let settings = context.settings()
                let network = networkPlan()
                _ = try PodPlan.volumes(pod: pod, references: references, settings: settings)
                try await claimHostPorts()
                if !saidScheduled {
                    saidScheduled = true
                    let place = "\(pod.namespace)/\(pod.name) to \(PodStatus.nodeName)"
                    record("Scheduled", "Successfully assigned \(place)", "scheduler")
                }
                let plan = try PodPlan(
                    pod: pod, references: references, settings: settings, isolation: context.runner.isolation,
                    network: network, pulled: try await pulledImages(settings))
                if network != nil { try await context.network?.names.prepare(namespace: pod.namespace) }
                try await context.files.materialize(plan.volumes)
                status.scheduled = true
                if lastFault != nil { restoreWaiting() }
                for (index, container) in plan.initial.enumerated() {
                    status.initial[index].imageID = container.imageID
                }
                for (index, container) in plan.containers.enumerated() {
                    status.containers[index].imageID = container.imageID
                }
                return plan
            } catch let fault as PodFault {
                if case .rejected(let reason, let message) = fault {
                    status.phase = "Failed"
                    status.reason = reason
                    status.message = message
                    record(reason, message, type: .warning)
                    return nil
                }
                if fault != lastFault { report(fault) }
                lastFault = fault
            } catch {
                status.phase = "Failed"
                status.reason = "FailedMount"
                status.message = "a volume could not be prepared: \(error)"
                record("FailedMount", status.message ?? "", type: .warning)
                return nil
            }
            wakeup.set(afterMilliseconds: delayMilliseconds)
            delayMilliseconds = min(delayMilliseconds * 2, 60_000)
            await wakeup.wait()
            // The row that was missing may have been added.
            try? await context.files.run(context.reloadImages)
        }
        status.phase = "Failed"
        return nil
    }

    /// The pod's address, kept over restarts of the server; pods of the host's network have the host's.
    func networkPlan() -> PodNetworkPlan? {
        guard let network = context.network else { return nil }
        if pod.spec["hostNetwork"]?.boolValue != true {
            status.address = network.addresses.podAddress(uid: pod.uid, previous: pod.status["podIP"]?.stringValue)
        }
        let hasLinks = pod.spec["enableServiceLinks"]?.boolValue ?? true
        let services = hasLinks ? context.store.list(.service, namespace: pod.namespace).items : []
        return PodNetworkPlan(
            address: status.address, hostsFile: network.names.path(namespace: pod.namespace),
            variables: ServiceVariables.variables(of: services))
    }

    func report(_ fault: PodFault) {
        switch fault {
        case .unschedulable(let message):
            status.scheduled = false
            status.schedulingMessage = message
            record("FailedScheduling", message, "scheduler", type: .warning)
        case .waiting(let container, let reason, let message):
            status.scheduled = true
            for index in status.containers.indices where container.isEmpty || status.containers[index].name == container
            {
                status.containers[index].state = .waiting(reason: reason, message: message)
            }
            for index in status.initial.indices where status.initial[index].name == container {
                status.initial[index].state = .waiting(reason: reason, message: message)
            }
            if reason == "ImagePullBackOff" {
                record("Failed", "Failed to pull image: \(message)", type: .warning)
                record("BackOff", "Back-off pulling image \"\(imageOf(container))\"")
            } else {
                record("Failed", "Error: \(message)", type: .warning)
            }
        case .rejected: break
        }
        publishSoon()
    }

    func imageOf(_ container: String) -> String {
        (status.initial + status.containers).first { $0.name == container }?.image ?? ""
    }

    func restoreWaiting() {
        let fresh = PodStatus(spec: pod.spec)
        status.initial = fresh.initial
        status.containers = fresh.containers
        lastFault = nil
    }

    var references: PodReferences {
        let store = context.store
        let namespace = pod.namespace
        func finder(_ kind: ResourceKind) -> (String) -> Resource? {
            { store.find(ResourceKey(kind, namespace: namespace, name: $0)) }
        }
        return PodReferences(
            configMap: finder(.configMap), secret: finder(.secret), claim: finder(.persistentVolumeClaim),
            serviceAccount: finder(.serviceAccount),
            persistentVolume: { store.find(ResourceKey(.persistentVolume, name: $0)) })
    }
}
