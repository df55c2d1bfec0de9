// The variables that a container gets for each Service of its namespace, in both forms that Kubernetes sets:
// NAME_SERVICE_HOST and the older NAME_PORT_80_TCP_ADDR.

import Formats

enum ServiceVariables {
    static func variables(of services: [Resource]) -> [(name: String, value: String)] {
        services.flatMap(variables)
    }

    private static func variables(of service: Resource) -> [(name: String, value: String)] {
        guard let address = service.spec["clusterIP"]?.stringValue, address != "None", !address.isEmpty,
            let ports = service.spec["ports"]?.arrayValue, let first = ports.first?["port"]?.intValue
        else { return [] }
        let prefix = word(service.name)
        var variables = [("\(prefix)_SERVICE_HOST", address), ("\(prefix)_SERVICE_PORT", "\(first)")]
        for port in ports {
            if let name = port["name"]?.stringValue, !name.isEmpty {
                variables.append(("\(prefix)_SERVICE_PORT_\(word(name))", "\(port["port"]?.intValue ?? 0)"))
            }
        }
        for (index, port) in ports.enumerated() {
            let transport = port["protocol"]?.stringValue ?? "TCP"
            let number = port["port"]?.intValue ?? 0
            let url = "\(transport.lowercased())://\(address):\(number)"
            if index == 0 { variables.append(("\(prefix)_PORT", url)) }
            let long = "\(prefix)_PORT_\(number)_\(transport)"
            variables += [
                (long, url), ("\(long)_PROTO", transport.lowercased()), ("\(long)_PORT", "\(number)"),
                ("\(long)_ADDR", address),
            ]
        }
        return variables.map { (name: $0.0, value: $0.1) }
    }

    private static func word(_ name: String) -> String { String(name.uppercased().map { $0 == "-" ? "_" : $0 }) }
}
