// Probes of a container, as its manifest states them.

import Formats

/// One check and how its results are counted. Times in seconds.
struct Probe: Sendable, Equatable {
    enum Action: Sendable, Equatable {
        /// GET, answered with a status of 200 to 399.
        case http(host: String, port: Int, path: String, fields: [String])
        /// A TCP connection that is accepted.
        case connection(host: String, port: Int)
        /// A command in the container that exits with 0.
        case command([String])
    }

    let action: Action
    var initialDelaySeconds = 0
    var periodSeconds = 10
    var timeoutSeconds = 1
    var successThreshold = 1
    var failureThreshold = 3

    /// Reads a manifest's probe. Throws for what is not carried out here.
    init(_ json: JSON, container: JSON, podAddress: String, field: String) throws(PodFault) {
        func refusal(_ reason: String) -> PodFault {
            .rejected(
                reason: "UnsupportedProbe",
                message: "container \"\(container["name"]?.stringValue ?? "")\": \(field) \(reason)")
        }
        func port(_ value: JSON?) throws(PodFault) -> Int {
            if let number = value?.intValue, (1...65535).contains(number) { return Int(number) }
            if let name = value?.stringValue {
                let entry = container["ports"]?.arrayValue?.first { $0["name"]?.stringValue == name }
                if let number = entry?["containerPort"]?.intValue ?? Int64(name) { return Int(number) }
            }
            throw refusal("names a port that the container does not have")
        }
        if let http = json["httpGet"] {
            guard http["scheme"]?.stringValue?.uppercased() != "HTTPS" else {
                throw refusal("uses HTTPS, which is not supported here; use tcpSocket or exec")
            }
            let fields = (http["httpHeaders"]?.arrayValue ?? []).map {
                "\($0["name"]?.stringValue ?? ""): \($0["value"]?.stringValue ?? "")"
            }
            guard !fields.contains(where: { $0.utf8.contains { $0 == 13 || $0 == 10 } }) else {
                throw refusal("has a header with a line break")
            }
            let path = http["path"]?.stringValue ?? "/"
            guard !path.utf8.contains(where: { $0 <= 0x20 || $0 == 0x7f }) else {
                throw refusal("has a path with a blank or control character")
            }
            action = .http(
                host: http["host"]?.stringValue ?? podAddress, port: try port(http["port"]),
                path: path.hasPrefix("/") ? path : "/" + path, fields: fields)
        } else if let socket = json["tcpSocket"] {
            action = .connection(host: socket["host"]?.stringValue ?? podAddress, port: try port(socket["port"]))
        } else if let command = json["exec"]?["command"]?.arrayValue?.compactMap(\.stringValue), !command.isEmpty {
            action = .command(command)
        } else if json["grpc"] != nil {
            throw refusal("uses gRPC, which is not supported here; use tcpSocket or exec")
        } else {
            throw refusal("names no action")
        }
        func seconds(_ key: String, _ standard: Int, _ least: Int) -> Int {
            json[key]?.intValue.map { max(least, Int(clamping: $0)) } ?? standard
        }
        initialDelaySeconds = seconds("initialDelaySeconds", 0, 0)
        periodSeconds = seconds("periodSeconds", 10, 1)
        timeoutSeconds = seconds("timeoutSeconds", 1, 1)
        successThreshold = seconds("successThreshold", 1, 1)
        failureThreshold = seconds("failureThreshold", 3, 1)
    }
}

/// The probes of one container.
struct ContainerProbes: Sendable, Equatable {
    let startup: Probe?
    let readiness: Probe?
    let liveness: Probe?

    init(_ container: JSON, podAddress: String) throws(PodFault) {
        func probe(_ field: String) throws(PodFault) -> Probe? {
            guard let json = container[field], json.objectValue?.isEmpty == false else { return nil }
            return try Probe(json, container: container, podAddress: podAddress, field: field)
        }
        startup = try probe("startupProbe")
        readiness = try probe("readinessProbe")
        liveness = try probe("livenessProbe")
    }

    var isEmpty: Bool { startup == nil && readiness == nil && liveness == nil }
}
