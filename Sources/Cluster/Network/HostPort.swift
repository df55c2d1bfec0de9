// `hostPort` of containers, as values: which ports of this machine lead to a pod, and which of them cannot be had together.

import Formats

/// One port of this machine that a container asks for.
struct HostPort: Sendable, Hashable, CustomStringConvertible {
    /// An address of this machine; empty for those that the cluster itself serves on.
    let address: String
    let port: Int
    /// The port behind it, on the pod's own address.
    let target: Int

    var description: String { address.isEmpty ? "port \(port)" : "port \(port) of \(address)" }

    /// True when both cannot be listened on.
    func conflicts(with other: HostPort) -> Bool {
        port == other.port && (address.isEmpty || other.address.isEmpty || address == other.address)
    }

    /// The ports that the containers of `pod` ask for. A pod of the host's network has them without asking.
    static func list(of pod: Resource) -> [HostPort] {
        guard pod.spec["hostNetwork"]?.boolValue != true else { return [] }
        return (pod.spec["containers"]?.arrayValue ?? []).flatMap { $0["ports"]?.arrayValue ?? [] }.compactMap {
            entry in
            guard let port = number(entry["hostPort"]), let target = number(entry["containerPort"]),
                entry["protocol"]?.stringValue ?? "TCP" == "TCP"
            else { return nil }
            let address = entry["hostIP"]?.stringValue ?? ""
            return HostPort(address: address == "0.0.0.0" || address == "::" ? "" : address, port: port, target: target)
        }
    }

    private static func number(_ value: JSON?) -> Int? {
        value?.intValue.flatMap { Int(exactly: $0) }.flatMap { (1...65_535).contains($0) ? $0 : nil }
    }
}
