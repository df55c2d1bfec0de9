// What a Service's selector comes to: the addresses of its pods, ready or not, and the ports behind the Service's ports.

import Formats

/// The endpoints of one Service.
struct ServiceEndpoints: Equatable {
    struct Address: Equatable {
        let address: String
        let podName: String
        let podUID: String
        let isReady: Bool
    }

    struct Port: Hashable {
        let name: String
        let port: Int
        let transport: String
        let application: String?
    }

    /// Addresses that share the same ports: more than one group only where a port's name means different numbers.
    var groups: [(ports: [Port], addresses: [Address])] = []

    static func == (left: ServiceEndpoints, right: ServiceEndpoints) -> Bool {
        left.groups.elementsEqual(right.groups) { $0.ports == $1.ports && $0.addresses == $1.addresses }
    }

    /// Works out the endpoints of `service` among `pods`, which are those of its namespace.
    init(of service: Resource, pods: [Resource]) {
        let selector = LabelSelector(labels: service.spec["selector"]?.stringMap ?? [:])
        let countsUnready = service.spec["publishNotReadyAddresses"]?.boolValue == true
        for pod in pods.sorted(by: { $0.name < $1.name }) where selector.matches(pod.labels) {
            let phase = pod.status["phase"]?.stringValue
            guard let address = pod.status["podIP"]?.stringValue, !address.isEmpty, !pod.isTerminating,
                phase != "Succeeded", phase != "Failed"
            else { continue }
            let entry = Address(
                address: address, podName: pod.name, podUID: pod.uid, isReady: countsUnready || pod.isReady)
            let ports = Self.ports(of: service, pod)
            if let index = groups.firstIndex(where: { $0.ports == ports }) {
                groups[index].addresses.append(entry)
            } else {
                groups.append((ports, [entry]))
            }
        }
    }

    private static func ports(of service: Resource, _ pod: Resource) -> [Port] {
        (service.spec["ports"]?.arrayValue ?? []).compactMap { port in
            guard let number = target(port, pod) else { return nil }
            return Port(
                name: port["name"]?.stringValue ?? "", port: number,
                transport: port["protocol"]?.stringValue ?? "TCP", application: port["appProtocol"]?.stringValue)
        }
    }

    /// The port of `pod` that a Service's port stands for; nil when none of its containers has one of that name.
    private static func target(_ port: JSON, _ pod: Resource) -> Int? {
        let target = port["targetPort"] ?? port["port"]
        if let number = target?.intValue { return number == 0 ? port["port"]?.intValue.map { Int($0) } : Int(number) }
        guard let name = target?.stringValue else { return nil }
        if let number = Int(name) { return number }
        for container in pod.spec["containers"]?.arrayValue ?? [] {
            for entry in container["ports"]?.arrayValue ?? [] where entry["name"]?.stringValue == name {
                return entry["containerPort"]?.intValue.map { Int($0) }
            }
        }
        return nil
    }

    /// The `subsets` of an Endpoints object.
    func subsets(namespace: String) -> JSON {
        .array(
            groups.map { group in
                var subset: JSON = [:]
                func addresses(_ isReady: Bool) -> [JSON] {
                    group.addresses.filter { $0.isReady == isReady }.map { Self.json($0, namespace: namespace) }
                }
                if !addresses(true).isEmpty { subset["addresses"] = .array(addresses(true)) }
                if !addresses(false).isEmpty { subset["notReadyAddresses"] = .array(addresses(false)) }
                if !group.ports.isEmpty { subset["ports"] = .array(group.ports.map(Self.json)) }
                return subset
            })
    }

    private static func json(_ address: Address, namespace: String) -> JSON {
        [
            "ip": .string(address.address), "nodeName": .string(PodStatus.nodeName),
            "targetRef": reference(address, namespace: namespace),
        ]
    }

    private static func reference(_ address: Address, namespace: String) -> JSON {
        [
            "kind": "Pod", "namespace": .string(namespace), "name": .string(address.podName),
            "uid": .string(address.podUID),
        ]
    }

    private static func json(_ port: Port) -> JSON {
        var json: JSON = ["port": JSON(port.port), "protocol": .string(port.transport)]
        if !port.name.isEmpty { json["name"] = .string(port.name) }
        if let application = port.application { json["appProtocol"] = .string(application) }
        return json
    }
}

extension ServiceEndpoints {
    /// `endpoints` and `ports` of an EndpointSlice, from the subset of an Endpoints object.
    static func slice(ofSubset subset: JSON) -> (endpoints: JSON, ports: JSON) {
        func endpoints(_ key: String, isReady: Bool) -> [JSON] {
            (subset[key]?.arrayValue ?? []).map { address in
                var endpoint: JSON = [
                    "addresses": [address["ip"] ?? ""],
                    "conditions": ["ready": .bool(isReady), "serving": .bool(isReady), "terminating": false],
                ]
                endpoint["targetRef"] = address["targetRef"]
                endpoint["nodeName"] = address["nodeName"]
                endpoint["hostname"] = address["hostname"]
                return endpoint
            }
        }
        let ports: [JSON] = (subset["ports"]?.arrayValue ?? []).map { port in
            var port = port
            if port["name"] == nil { port["name"] = "" }
            if port["protocol"] == nil { port["protocol"] = "TCP" }
            return port
        }
        return (
            .array(endpoints("addresses", isReady: true) + endpoints("notReadyAddresses", isReady: false)),
            .array(ports)
        )
    }

    /// The ready backends of a Service's port in the `subsets` of its Endpoints object.
    static func backends(_ subsets: JSON?, servicePort: JSON) -> [Backend] {
        let name = servicePort["name"]?.stringValue ?? ""
        var backends: [Backend] = []
        for subset in subsets?.arrayValue ?? [] {
            let ports = subset["ports"]?.arrayValue ?? []
            // Written by hand, an only port needs no name.
            guard let port = ports.first(where: { $0["name"]?.stringValue ?? "" == name })?["port"]?.intValue else {
                continue
            }
            for address in subset["addresses"]?.arrayValue ?? [] {
                if let ip = address["ip"]?.stringValue { backends.append(Backend(address: ip, port: Int(port))) }
            }
        }
        return backends.sorted()
    }
}

extension Resource {
    /// True for a pod whose condition `Ready` holds.
    package var isReady: Bool {
        (status["conditions"]?.arrayValue ?? []).contains { $0["type"] == "Ready" && $0["status"] == "True" }
    }
}
