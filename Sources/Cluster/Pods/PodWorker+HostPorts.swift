// A pod's ports of this machine: claimed before it is placed, opened when its server listens.

import Formats

extension PodWorker {
    private static let unschedulable =
        "0/1 nodes are available: 1 node(s) didn't have free ports for the requested pod ports"

    /// Takes the pod's host ports. Throws `PodFault.unschedulable` when another pod or another process has one.
    func claimHostPorts() async throws {
        guard let hostPorts = context.network?.hostPorts else { return }
        let ports = HostPort.list(of: pod)
        guard !ports.isEmpty else { return }
        if let (port, holder) = hostPorts.claim(ports, for: pod, others: context.store.list(.pod).items) {
            throw PodFault.unschedulable(message: "\(Self.unschedulable). \(port) belongs to pod \(holder)")
        }
        // One that is placed has them: its own server may be who listens.
        guard pod.spec["nodeName"] == nil else { return }
        let faults = try await context.files.run { ports.compactMap { hostPorts.fault(of: $0) } }
        guard let fault = faults.first else { return }
        _ = hostPorts.release(uid: pod.uid)
        throw PodFault.unschedulable(message: "\(Self.unschedulable). \(fault)")
    }

    /// Opens the pod's host ports as soon as its servers listen; returns when all are open, or cancelled.
    func openHostPorts() async {
        guard let hostPorts = context.network?.hostPorts else { return }
        var left = HostPort.list(of: pod)
        let uid = pod.uid
        let address = status.address
        var said: Set<String> = []
        var round = 0
        while !left.isEmpty, !Task.isCancelled {
            let asked = left
            let found = try? await context.files.run { asked.map { hostPorts.open($0, uid: uid, address: address) } }
            for (port, opening) in zip(asked, found ?? []) {
                switch opening {
                case .open: left.removeAll { $0 == port }
                case .waiting: break
                case .failed(let reason):
                    guard said.insert(reason).inserted else { continue }
                    record("HostPortNotOpen", "host\(port) is not opened: \(reason)", type: .warning)
                }
            }
            round += 1
            // A server that has not come for long may come late; looking at the kernel's tables costs a little each time.
            try? await Task.sleep(nanoseconds: round < 100 ? 50_000_000 : 1_000_000_000)
        }
    }
}
