// Columns of workloads and of what stands behind Services.

import Clock
import Cluster
import Formats

extension TableColumn {
    static let deployment =
        [
            TableColumn("Ready") { resource, _ in
                .string("\(number(resource.status["readyReplicas"]))/\(number(resource.spec["replicas"]))")
            },
            statusCount("Up-to-date", "updatedReplicas"), statusCount("Available", "availableReplicas"), age,
        ] + template

    static let replicaSet =
        [
            TableColumn("Desired", type: "integer") { resource, _ in .int(number(resource.spec["replicas"])) },
            statusCount("Current", "replicas"), statusCount("Ready", "readyReplicas"), age,
        ] + template

    static let job =
        [
            TableColumn("Status") { resource, _ in .string(jobState(resource)) },
            TableColumn("Completions") { resource, _ in
                let succeeded = number(resource.status["succeeded"])
                if let wanted = resource.spec["completions"]?.intValue { return .string("\(succeeded)/\(wanted)") }
                let parallelism = number(resource.spec["parallelism"])
                return .string(parallelism > 1 ? "\(succeeded)/1 of \(parallelism)" : "\(succeeded)/1")
            },
            TableColumn("Duration") { resource, now in
                guard let start = resource.status["startTime"]?.stringValue else { return "" }
                let end = resource.status["completionTime"]?.stringValue.flatMap { WallTime(iso8601: $0) }
                return .string(Ages.text(since: start, end ?? now))
            }, age,
        ] + template

    private static func jobState(_ job: Resource) -> String {
        func holds(_ type: String) -> Bool {
            (job.status["conditions"]?.arrayValue ?? []).contains {
                $0["type"]?.stringValue == type && $0["status"] == "True"
            }
        }
        if let verdict = ["Complete", "Failed"].first(where: holds) { return verdict }
        if job.isTerminating { return "Terminating" }
        return ["Suspended", "FailureTarget", "SuccessCriteriaMet"].first(where: holds) ?? "Running"
    }

    private static let template = [
        TableColumn("Containers", wide: true) { resource, _ in .string(containers(resource, "name")) },
        TableColumn("Images", wide: true) { resource, _ in .string(containers(resource, "image")) },
        TableColumn("Selector", wide: true) { resource, _ in
            .string(pairs(resource.spec["selector"]?["matchLabels"]))
        },
    ]

    static let endpoints = [
        TableColumn("Endpoints") { resource, _ in
            let texts = (resource.json["subsets"]?.arrayValue ?? []).flatMap { subset in
                let ports = (subset["ports"]?.arrayValue ?? []).map { number($0["port"]) }
                return (subset["addresses"]?.arrayValue ?? []).flatMap { address in
                    ports.map { "\(address["ip"]?.stringValue ?? ""):\($0)" }
                }
            }
            return .string(shortened(texts))
        }, age,
    ]

    static let endpointSlice = [
        text("AddressType", ["addressType"]),
        TableColumn("Ports") { resource, _ in
            .string(
                shortened((resource.json["ports"]?.arrayValue ?? []).map { "\(number($0["port"]))" }, none: "<unset>"))
        },
        TableColumn("Endpoints") { resource, _ in
            .string(
                shortened(
                    (resource.json["endpoints"]?.arrayValue ?? []).compactMap { $0["addresses"]?[0]?.stringValue },
                    none: "<unset>"))
        }, age,
    ]

    static let service = [
        text("Type", ["spec", "type"]),
        text("Cluster-IP", ["spec", "clusterIP"], none: "<none>"),
        TableColumn("External-IP") { resource, _ in
            if resource.spec["type"] == "ExternalName" { return resource.spec["externalName"] ?? "<none>" }
            guard resource.spec["type"] == "LoadBalancer" else { return "<none>" }
            let addresses = (resource.status["loadBalancer"]?["ingress"]?.arrayValue ?? []).compactMap {
                $0["ip"]?.stringValue
            }
            return .string(addresses.isEmpty ? "<pending>" : addresses.joined(separator: ","))
        },
        TableColumn("Port(s)") { resource, _ in
            let ports = (resource.spec["ports"]?.arrayValue ?? []).map { port in
                let node = number(port["nodePort"])
                return "\(number(port["port"]))\(node == 0 ? "" : ":\(node)")/\(port["protocol"]?.stringValue ?? "TCP")"
            }
            return .string(ports.isEmpty ? "<none>" : ports.joined(separator: ","))
        },
        age,
        TableColumn("Selector", wide: true) { resource, _ in .string(pairs(resource.spec["selector"])) },
    ]

    private static func statusCount(_ name: String, _ field: String) -> TableColumn {
        TableColumn(name, type: "integer") { resource, _ in .int(number(resource.status[field])) }
    }

    private static func number(_ value: JSON?) -> Int64 { value?.intValue ?? 0 }

    private static func containers(_ resource: Resource, _ field: String) -> String {
        (resource.spec["template"]?["spec"]?["containers"]?.arrayValue ?? []).compactMap { $0[field]?.stringValue }
            .joined(separator: ",")
    }

    static func pairs(_ labels: JSON?) -> String {
        let pairs = (labels?.stringMap ?? [:]).sorted { $0.key < $1.key }.map { "\($0.key)=\($0.value)" }
        return pairs.isEmpty ? "<none>" : pairs.joined(separator: ",")
    }

    /// The first three, and how many more there are.
    private static func shortened(_ texts: [String], none: String = "<none>") -> String {
        if texts.isEmpty { return none }
        let shown = texts.prefix(3).joined(separator: ",")
        return texts.count > 3 ? "\(shown) + \(texts.count - 3) more..." : shown
    }
}
