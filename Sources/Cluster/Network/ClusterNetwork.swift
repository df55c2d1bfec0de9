// The addresses of one cluster. Pods are processes of the host and share its network, so what tells them apart is an
// address of their own: each cluster has a 127.N.0.0/16 of the loopback network, pods in its lower half, Services in its
// upper one. Linux answers on all of 127/8 without any set-up, and nothing of it can be reached from another machine.

import Bytes
import Files
import Formats
import Glibc
import Synchronization

/// Gives pods and Services their addresses. Safe to share.
package final class ClusterNetwork: Sendable {
    /// The N of 127.N.0.0/16.
    package let number: Int
    /// Where NodePorts listen: the address that the cluster itself serves on.
    package let bindAddress: String

    private struct State {
        var pods: [String: String] = [:]
        var used: Set<String> = []
        var nodePorts: Set<Int> = []
        var next = 0
    }

    private let state = Mutex(State())
    /// Held for as long as this process uses the range.
    private let lock: Int32

    package static let numbers = 64...127
    static let nodePorts = 30000...32767

    private init(number: Int, bindAddress: String, lock: Int32) {
        self.number = number
        self.bindAddress = bindAddress
        self.lock = lock
    }

    deinit { close(lock) }

    /// Takes the range that `folder` remembers, or, when that is another process's now, a free one, and remembers it.
    /// Throws `ClusterError` when 64 clusters run here already. Blocks.
    package static func open(folder: String, bindAddress: String) throws -> ClusterNetwork {
        let path = folder + "/network"
        let kept = FileTools.read(path, bytesMax: 16).map { String(utf8: $0.filter { $0 > 0x20 }) }.flatMap { Int($0) }
        let candidates = (kept.map { numbers.contains($0) ? [$0] : [] } ?? []) + numbers.shuffled()
        for number in candidates {
            guard let lock = claim(number) else { continue }
            if number != kept { try FileTools.write(path, Array("\(number)\n".utf8)) }
            return ClusterNetwork(number: number, bindAddress: bindAddress, lock: lock)
        }
        throw ClusterError(
            .limitReached,
            "all address ranges 127.64.0.0/16 to 127.127.0.0/16 are used by other clusters of this machine")
    }

    /// A name in the abstract socket space can be bound once in a network namespace and goes with its process: the same
    /// scope as the addresses themselves. Nil when another process holds it.
    private static func claim(_ number: Int) -> Int32? {
        let descriptor = socket(AF_UNIX, Int32(SOCK_STREAM.rawValue | SOCK_CLOEXEC.rawValue), 0)
        guard descriptor >= 0 else { return nil }
        var address = sockaddr_un()
        address.sun_family = sa_family_t(AF_UNIX)
        let name = Array("\0slipway/127.\(number)".utf8)
        withUnsafeMutableBytes(of: &address.sun_path) { $0.copyBytes(from: name) }
        let length = socklen_t(MemoryLayout<sa_family_t>.size + name.count)
        let bound = withUnsafePointer(to: address) {
            $0.withMemoryRebound(to: sockaddr.self, capacity: 1) { bind(descriptor, $0, length) }
        }
        if bound == 0 { return descriptor }
        close(descriptor)
        return nil
    }

    /// Notes the addresses that objects have already.
    func adopt(_ store: ResourceStore) {
        let services = store.list(.service).items
        state.withLock { state in
            for service in services {
                if let address = service.spec["clusterIP"]?.stringValue { state.used.insert(address) }
                for port in service.spec["ports"]?.arrayValue ?? [] {
                    if let number = port["nodePort"]?.intValue { state.nodePorts.insert(Int(number)) }
                }
            }
        }
    }

    // MARK: Pods

    /// The address of the pod with this uid: the same for as long as it lives. `previous` is what its status says.
    func podAddress(uid: String, previous: String?) -> String {
        state.withLock { state in
            if let known = state.pods[uid] { return known }
            if let previous, isOfPods(previous), state.used.insert(previous).inserted {
                state.pods[uid] = previous
                return previous
            }
            let address = Self.take(number, 0..<128, &state)
            state.pods[uid] = address
            return address
        }
    }

    func releasePod(uid: String) {
        state.withLock { state in if let address = state.pods.removeValue(forKey: uid) { state.used.remove(address) } }
    }

    private func isOfPods(_ address: String) -> Bool {
        let parts = address.pieces(by: ".").compactMap { Int($0) }
        return parts.count == 4 && parts[0] == 127 && parts[1] == number && parts[2] < 128
    }

    func isOfServices(_ address: String) -> Bool {
        let parts = address.pieces(by: ".").compactMap { Int($0) }
        return parts.count == 4 && parts[0] == 127 && parts[1] == number && (128..<256).contains(parts[2])
            && (1..<255).contains(parts[3])
    }

    /// A free address whose third part is in `third`. The pool is larger than the objects that the store takes.
    private static func take(_ number: Int, _ third: Range<Int>, _ state: inout State) -> String {
        while true {
            state.next += 1
            let place = state.next % (third.count * 254)
            let address = "127.\(number).\(third.lowerBound + place / 254).\(1 + place % 254)"
            if state.used.insert(address).inserted { return address }
            // Pods and Services together are bounded by the store far below twice 32,512; a full half reuses addresses.
            if state.used.count > 60_000 { return address }
        }
    }

    // MARK: Services

    /// Fills in what a new Service is given: addresses, ports' defaults, node ports. Throws `ClusterError` `.invalid` for
    /// an address or node port that it cannot have.
    func prepare(service object: inout JSON, dryRun: Bool) throws(ClusterError) {
        let name = object[path: "metadata", "name"]?.stringValue ?? ""
        let asked = object[path: "spec", "clusterIP"]?.stringValue ?? ""
        let type = object[path: "spec", "type"]?.stringValue ?? "ClusterIP"
        guard type != "ExternalName" else { return }
        if asked == "None" {
            object[path: "spec", "clusterIPs"] = ["None"]
        } else {
            let address: String
            do throws(AddressFault) {
                address = try clusterAddress(asked: asked, dryRun: dryRun)
            } catch {
                throw .invalid(
                    .service, name, [.invalid("spec.clusterIPs", value: [.string(asked)], error.reason)])
            }
            object[path: "spec", "clusterIP"] = .string(address)
            object[path: "spec", "clusterIPs"] = [.string(address)]
        }
        guard var ports = object[path: "spec", "ports"]?.arrayValue else { return }
        for index in ports.indices {
            let asked = ports[index]["nodePort"]?.intValue
            guard type == "NodePort" || (asked ?? 0) != 0 else { continue }
            guard let number = nodePort(asked: asked.map { Int(clamping: $0) } ?? 0, dryRun: dryRun) else {
                throw .invalid(
                    .service, name,
                    [
                        .invalid(
                            "spec.ports[\(index)].nodePort", value: .int(asked ?? 0),
                            "provided port is not in the valid range (30000-32767) or already allocated")
                    ])
            }
            ports[index]["nodePort"] = JSON(number)
        }
        object[path: "spec", "ports"] = .array(ports)
    }

    private struct AddressFault: Error { let reason: String }

    private func clusterAddress(asked: String, dryRun: Bool) throws(AddressFault) -> String {
        if asked.isEmpty {
            return state.withLock { state in
                let address = Self.take(number, 128..<256, &state)
                if dryRun { state.used.remove(address) }
                return address
            }
        }
        guard isOfServices(asked) else {
            throw AddressFault(
                reason: "failed to allocate IP \(asked): the provided IP is not in the valid range. "
                    + "The range of valid IPs is 127.\(number).128.0/17")
        }
        let isFree = state.withLock { state in
            dryRun ? !state.used.contains(asked) : state.used.insert(asked).inserted
        }
        guard isFree else {
            throw AddressFault(reason: "failed to allocate IP \(asked): provided IP is already allocated")
        }
        return asked
    }

    /// A node port; nil when `asked` (0 for any) cannot be had.
    private func nodePort(asked: Int, dryRun: Bool) -> Int? {
        state.withLock { state in
            if asked != 0 {
                guard Self.nodePorts.contains(asked), !state.nodePorts.contains(asked) else { return nil }
                if !dryRun { state.nodePorts.insert(asked) }
                return asked
            }
            for _ in 0..<10_000 {
                let number = Int.random(in: Self.nodePorts)
                guard !state.nodePorts.contains(number) else { continue }
                if !dryRun { state.nodePorts.insert(number) }
                return number
            }
            return nil
        }
    }

    /// Takes back what a deleted Service had.
    func release(service: Resource) {
        state.withLock { state in
            if let address = service.spec["clusterIP"]?.stringValue { state.used.remove(address) }
            for port in service.spec["ports"]?.arrayValue ?? [] {
                if let number = port["nodePort"]?.intValue { state.nodePorts.remove(Int(number)) }
            }
        }
    }
}
