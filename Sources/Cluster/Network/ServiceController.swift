// Keeps Endpoints, EndpointSlices and Service statuses true, and the proxy listening on what they say.

import EventLoop
import Formats
import Log

actor ServiceController {
    private let store: ResourceStore
    private let network: ClusterNetwork
    private let names: HostNames
    private let proxy = ServiceProxy()
    /// What each Service is listened on.
    private var frontends: [ResourceKey: Set<Frontend>] = [:]
    /// Failures that an event has been written for.
    private var reported: [Frontend: String] = [:]
    private var mustRetry: Set<ResourceKey> = []

    init(store: ResourceStore, network: ClusterNetwork, names: HostNames) {
        self.store = store
        self.network = network
        self.names = names
    }

    /// Works until cancelled.
    func run() async {
        network.adopt(store)
        await ControllerLoop.run(
            "services", store, [.service, .endpoints, .pod], idleMilliseconds: 1000, idle: { await self.retry() },
            handle: { await self.handle($0) })
        proxy.stop()
    }

    private func handle(_ event: ResourceEvent) async {
        let resource = event.resource
        switch resource.kind {
        case .service where event.change == .deleted:
            for frontend in frontends.removeValue(forKey: resource.key) ?? [] { _ = proxy.set(frontend, []) }
            network.release(service: resource)
            await names.refreshAll()
        case .service:
            await reconcile(resource)
            await names.refreshAll()
        case .endpoints:
            // What this controller writes itself has been acted on.
            let key = ResourceKey(.service, namespace: resource.namespace, name: resource.name)
            guard let service = store.find(key), service.spec["selector"] == nil else { return }
            await reconcile(service)
        default:
            guard event.previous == nil || event.change == .deleted || concernsServices(event) else { return }
            for service in store.list(.service, namespace: resource.namespace).items {
                let selector = LabelSelector(labels: service.spec["selector"]?.stringMap ?? [:])
                guard !selector.requirements.isEmpty else { continue }
                if selector.matches(resource.labels) || event.previous.map({ selector.matches($0.labels) }) == true {
                    await reconcile(service)
                    if service.spec["clusterIP"] == "None" { await names.refreshAll() }
                }
            }
        }
    }

    /// True when something that endpoints are made of changed.
    private func concernsServices(_ event: ResourceEvent) -> Bool {
        guard let previous = event.previous else { return true }
        let pod = event.resource
        return previous.labels != pod.labels || previous.isReady != pod.isReady
            || previous.status["podIP"] != pod.status["podIP"] || previous.isTerminating != pod.isTerminating
            || previous.status["phase"] != pod.status["phase"]
    }

    private func retry() async {
        for key in mustRetry {
            mustRetry.remove(key)
            if let service = store.find(key) { await reconcile(service) }
        }
    }

    private func reconcile(_ found: Resource) async {
        guard !found.isTerminating, let service = await addressed(found) else { return }
        guard service.spec["type"] != "ExternalName" else { return }
        let key = ResourceKey(.endpoints, namespace: service.namespace, name: service.name)
        var subsets = store.find(key)?.json["subsets"]
        if let selector = service.spec["selector"]?.objectValue, !selector.isEmpty {
            let pods = store.list(.pod, namespace: service.namespace).items
            let wanted = ServiceEndpoints(of: service, pods: pods).subsets(namespace: service.namespace)
            if store.find(key) == nil || (subsets ?? []) != wanted { await write(key, subsets: wanted, of: service) }
            subsets = wanted
        }
        await writeSlices(subsets ?? [], of: service)
        await publishStatus(of: service)
        await listen(service, subsets)
    }

    /// The Service with an address of this cluster's range: one that an earlier server, or another machine, gave it is
    /// replaced.
    private func addressed(_ service: Resource) async -> Resource? {
        let address = service.spec["clusterIP"]?.stringValue ?? ""
        guard service.spec["type"] != "ExternalName", address != "None", !network.isOfServices(address) else {
            return service
        }
        let network = network
        return try? await store.update(service.key) { current in
            var object = current.json
            object[path: "spec", "clusterIP"] = nil
            object[path: "spec", "clusterIPs"] = nil
            // Node ports are kept: they are this Service's already.
            var fresh: JSON = ["metadata": current.metadata, "spec": ["type": "ClusterIP"]]
            try network.prepare(service: &fresh, dryRun: false)
            object[path: "spec", "clusterIP"] = fresh[path: "spec", "clusterIP"]
            object[path: "spec", "clusterIPs"] = fresh[path: "spec", "clusterIPs"]
            return object
        }
    }

    // MARK: Objects

    private func write(_ key: ResourceKey, subsets: JSON, of service: Resource) async {
        await ControllerLoop.attempt("services") {
            let metadata: JSON = [
                "name": .string(key.name), "labels": service.metadata["labels"] ?? [:],
                "ownerReferences": [service.ownerReference],
            ]
            try await put(key, ["metadata": metadata, "subsets": subsets])
        }
    }

    /// One slice for each subset, named after the Service and its uid.
    private func writeSlices(_ subsets: JSON, of service: Resource) async {
        let suffix = service.uid.prefix(5)
        let base = "\(service.name.prefix(50))-\(suffix)"
        let list = subsets.arrayValue ?? []
        // A Service without pods has one slice that holds none.
        for (index, subset) in (list.isEmpty ? [[:]] : list).enumerated() {
            let name = index == 0 ? base : "\(base)-\(index)"
            let (endpoints, ports) = ServiceEndpoints.slice(ofSubset: subset)
            let key = ResourceKey(.endpointSlice, namespace: service.namespace, name: name)
            if let known = store.find(key), known.json["endpoints"] == endpoints, known.json["ports"] == ports {
                continue
            }
            await ControllerLoop.attempt("services") {
                try await put(
                    key,
                    [
                        "metadata": [
                            "name": .string(name),
                            "labels": [
                                "kubernetes.io/service-name": .string(service.name),
                                "endpointslice.kubernetes.io/managed-by": "endpointslice-controller.k8s.io",
                            ], "ownerReferences": [service.ownerReference],
                        ], "addressType": "IPv4", "endpoints": endpoints, "ports": ports,
                    ])
            }
        }
        var index = max(1, list.count)
        while store.find(ResourceKey(.endpointSlice, namespace: service.namespace, name: "\(base)-\(index)")) != nil {
            let stale = ResourceKey(.endpointSlice, namespace: service.namespace, name: "\(base)-\(index)")
            await ControllerLoop.attempt("services") { try await store.delete(stale) }
            index += 1
        }
    }

    private func put(_ key: ResourceKey, _ object: JSON) async throws {
        guard store.find(key) != nil else {
            do {
                try await store.create(key.kind, namespace: key.namespace, object)
            } catch let error as ClusterError where error.code == .forbidden || error.code == .alreadyExists {
                // The namespace is on its way out, or somebody was faster; the next event tells.
            }
            return
        }
        try await store.update(key) { current in
            var merged = current.json
            for (name, value) in object.objectValue ?? JSONObject() where name != "metadata" { merged[name] = value }
            return merged
        }
    }

    /// A load balancer's address is the Service's own: it can be reached from this machine.
    private func publishStatus(of service: Resource) async {
        guard service.spec["type"] == "LoadBalancer", let address = service.spec["clusterIP"]?.stringValue else {
            return
        }
        let wanted: JSON = ["ingress": [["ip": .string(address), "ipMode": "VIP"]]]
        guard service.status["loadBalancer"] != wanted else { return }
        await ControllerLoop.attempt("services") {
            try await store.updateStatus(service.key) { current in
                var status = current.status
                status["loadBalancer"] = wanted
                return status
            }
        }
    }

    // MARK: Sockets

    private func listen(_ service: Resource, _ subsets: JSON?) async {
        var wanted: [Frontend: [Backend]] = [:]
        let address = service.spec["clusterIP"]?.stringValue ?? ""
        for port in service.spec["ports"]?.arrayValue ?? [] {
            let transport = port["protocol"]?.stringValue ?? "TCP"
            guard transport == "TCP" else {
                await report(
                    service, Frontend(address: address, port: 0),
                    "port \(port["port"]?.intValue ?? 0) is \(transport); only TCP is carried here")
                continue
            }
            let backends = ServiceEndpoints.backends(subsets, servicePort: port)
            if address != "None", let number = port["port"]?.intValue {
                wanted[Frontend(address: address, port: Int(number))] = backends
            }
            if let number = port["nodePort"]?.intValue, number != 0 {
                wanted[Frontend(address: network.bindAddress, port: Int(number))] = backends
            }
        }
        for frontend in (frontends[service.key] ?? []).subtracting(wanted.keys) { _ = proxy.set(frontend, []) }
        frontends[service.key] = Set(wanted.keys)
        for (frontend, backends) in wanted {
            if let error = proxy.set(frontend, backends) {
                mustRetry.insert(service.key)
                await report(service, frontend, Self.text(error, frontend))
            } else {
                reported[frontend] = nil
            }
        }
    }

    private func report(_ service: Resource, _ frontend: Frontend, _ message: String) async {
        guard reported[frontend] != message else { return }
        reported[frontend] = message
        await EventRecorder(store: store, component: "service-proxy")
            .record(service, .warning, reason: "CannotListen", message)
    }

    private static func text(_ error: ListenError, _ frontend: Frontend) -> String {
        switch error {
        case .inUse:
            return
                "\(frontend) is in use: a process listens on port \(frontend.port) of every address, and connections "
                + "to this Service reach that process; let it listen on its pod's address, $(POD_IP)"
        case .failed(let failure) where failure.description.contains("Permission denied"):
            return "\(frontend) cannot be listened on: ports below 1024 need root, CAP_NET_BIND_SERVICE, or sysctl "
                + "net.ipv4.ip_unprivileged_port_start=80"
        case .failed(let failure): return "\(frontend) cannot be listened on: \(failure)"
        case .badAddress(let address): return "\(frontend) cannot be listened on: \(address) is not an address"
        case .foreignAddress(let address):
            return "\(frontend) cannot be listened on: \(address) is not an address of this machine"
        case .certificate: return "\(frontend) cannot be listened on"
        }
    }
}
