// Ports of this machine that lead to pods. A pod claims its ports before it starts and keeps them to its end; connections
// are carried once its server listens. Not before: a server that listens on every address, as containers are written to,
// would find its port taken by the forward that is meant for it, and it needs none.

import EventLoop
import Formats
import Glibc
import Processes
import Synchronization

/// The host ports of all pods. Safe to share.
final class HostPorts: Sendable {
    /// What a port of a running pod came to.
    enum Opening: Equatable, Sendable {
        case open
        /// The pod's server does not listen yet.
        case waiting
        /// Why not, for a person.
        case failed(String)
    }

    private struct Claim {
        let pod: String
        let ports: [HostPort]
        var frontends: Set<Frontend> = []
    }

    private let bindAddress: String
    private let proxy = ServiceProxy()
    /// By the pod's uid.
    private let claims = Mutex<[String: Claim]>([:])

    init(bindAddress: String) { self.bindAddress = bindAddress }

    // MARK: Claims

    /// Takes `ports` for the pod, which may have them already. Returns the name of the pod that has one of them, or nil.
    ///
    /// - Parameter others: pods that have their place, also when no worker of theirs has claimed yet.
    func claim(_ ports: [HostPort], for pod: Resource, others: [Resource]) -> (port: HostPort, holder: String)? {
        let isPlaced = pod.spec["nodeName"] != nil
        return claims.withLock { claims in
            guard claims[pod.uid] == nil else { return nil }
            var held = claims.values.map { ($0.pod, $0.ports) }
            for other in others where other.uid != pod.uid && other.spec["nodeName"] != nil && !other.isOver {
                held.append(("\(other.namespace)/\(other.name)", HostPort.list(of: other)))
            }
            if !isPlaced {
                for (holder, theirs) in held {
                    for port in ports where theirs.contains(where: port.conflicts) { return (port, holder) }
                }
            }
            claims[pod.uid] = Claim(pod: "\(pod.namespace)/\(pod.name)", ports: ports)
            return nil
        }
    }

    /// Gives back what the pod had. True when it had any.
    func release(uid: String) -> Bool {
        // Under the lock, as opening is: the next pod's listener must not be the one that is closed.
        claims.withLock { claims in
            guard let claim = claims.removeValue(forKey: uid) else { return false }
            for frontend in claim.frontends { _ = proxy.set(frontend, []) }
            return true
        }
    }

    // MARK: Sockets

    /// Why `port` cannot be had on this machine at this moment, or nil. Blocks.
    func fault(of port: HostPort) -> String? {
        for frontend in frontends(of: port) {
            do throws(ListenError) {
                _ = try Listener.bindablePort(host: frontend.address, port: frontend.port)
            } catch {
                return Self.text(error, frontend)
            }
        }
        return nil
    }

    /// Carries connections to the pod at `address`, if its server listens. Blocks.
    func open(_ port: HostPort, uid: String, address: String) -> Opening {
        let sockets = ListeningSocket.all()
        guard let server = sockets.first(where: { $0.answers(address, port.target) }) else { return .waiting }
        // It has the port of this machine itself.
        if server.isOfEveryAddress, port.port == port.target { return .open }
        for frontend in frontends(of: port) {
            let error: ListenError? = claims.withLock { claims in
                guard claims[uid] != nil else { return nil }
                claims[uid]?.frontends.insert(frontend)
                return proxy.set(frontend, [Backend(address: address, port: port.target)])
            }
            if let error { return .failed(Self.text(error, frontend)) }
        }
        return .open
    }

    private func frontends(of port: HostPort) -> [Frontend] {
        let addresses =
            port.address.isEmpty ? Self.addresses(bindAddress) : [port.address]
        return addresses.map { Frontend(address: $0, port: port.port) }
    }

    /// `bindAddress`, or for every address those of this machine one by one: pods' own addresses must stay free, because a
    /// pod's server may have the same port there.
    static func addresses(_ bindAddress: String) -> [String] {
        guard bindAddress == "0.0.0.0" || bindAddress == "::" else { return [bindAddress] }
        var found = ["127.0.0.1"]
        var list: UnsafeMutablePointer<ifaddrs>?
        guard getifaddrs(&list) == 0 else { return found }
        defer { freeifaddrs(list) }
        var next = list
        while let entry = next?.pointee {
            next = entry.ifa_next
            guard let address = entry.ifa_addr, address.pointee.sa_family == sa_family_t(AF_INET) else { continue }
            let word = address.withMemoryRebound(to: sockaddr_in.self, capacity: 1) { $0.pointee.sin_addr.s_addr }
            let text = withUnsafeBytes(of: word) { $0.map { String($0) }.joined(separator: ".") }
            if !text.hasPrefix("127."), !found.contains(text) { found.append(text) }
        }
        return found
    }

    private static func text(_ error: ListenError, _ frontend: Frontend) -> String {
        switch error {
        case .inUse(let address, let port):
            let holder = PortHolder.find(port: port, address: address).map {
                "process \($0.processID) (\($0.command))"
            }
            return "\(frontend) is in use by \(holder ?? "another process")"
        case .failed(let failure) where failure.code == EACCES:
            return "\(frontend) cannot be listened on: ports below 1024 need root, CAP_NET_BIND_SERVICE, or sysctl "
                + "net.ipv4.ip_unprivileged_port_start=80"
        case .failed(let failure): return "\(frontend) cannot be listened on: \(failure)"
        case .badAddress(let address): return "hostIP \(address) is not a numeric address"
        case .foreignAddress(let address): return "hostIP \(address) is not an address of this machine"
        case .certificate: return "\(frontend) cannot be listened on"
        }
    }
}

extension Resource {
    /// True for a pod that has ended.
    fileprivate var isOver: Bool { ["Succeeded", "Failed"].contains(status["phase"]?.stringValue ?? "") }
}
