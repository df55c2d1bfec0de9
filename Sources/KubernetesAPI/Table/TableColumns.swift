// The columns that `kubectl get` prints, for each kind those of a real cluster.

import Clock
import Cluster
import Formats

/// One column of a kind's table.
struct TableColumn: Sendable {
    let name: String
    /// `string`, `integer`, `boolean`.
    var type = "string"
    var format = ""
    /// Above 0 only `-o wide` shows it.
    var priority = 0
    let cell: @Sendable (Resource, WallTime) -> JSON

    init(
        _ name: String, type: String = "string", format: String = "", wide: Bool = false,
        _ cell: @escaping @Sendable (Resource, WallTime) -> JSON
    ) {
        self.name = name
        self.type = type
        self.format = format
        priority = wide ? 1 : 0
        self.cell = cell
    }

    static let name = TableColumn("Name", format: "name") { resource, _ in .string(resource.name) }

    static let age = TableColumn("Age") { resource, now in
        .string(Ages.text(since: resource.metadata["creationTimestamp"]?.stringValue, now))
    }

    /// A text at a path of the object.
    static func text(_ name: String, wide: Bool = false, _ path: [String], none: String = "") -> TableColumn {
        TableColumn(name, wide: wide) { resource, _ in
            .string(path.reduce(Optional(resource.json)) { $0?[$1] }?.stringValue ?? none)
        }
    }

    /// How many members or elements there are at the top-level `fields`.
    static func count(_ name: String, _ fields: [String]) -> TableColumn {
        TableColumn(name, type: "integer") { resource, _ in
            .int(
                fields.reduce(0) {
                    $0 + Int64(resource.json[$1]?.objectValue?.count ?? resource.json[$1]?.arrayValue?.count ?? 0)
                })
        }
    }

    static func columns(of kind: ResourceKind) -> [TableColumn] {
        switch kind {
        case .pod: [name] + pod
        case .workflow: [name] + workflow
        case .namespace: [name, text("Status", ["status", "phase"]), age]
        case .configMap: [name, count("Data", ["data", "binaryData"]), age]
        case .secret: [name, text("Type", ["type"]), count("Data", ["data"]), age]
        case .serviceAccount: [name, count("Secrets", ["secrets"]), age]
        case .persistentVolumeClaim: [name] + claim
        case .persistentVolume: [name] + persistentVolume
        case .storageClass: storageClass
        case .service: [name] + service
        case .endpoints: [name] + endpoints
        case .endpointSlice: [name] + endpointSlice
        case .deployment: [name] + deployment
        case .replicaSet: [name] + replicaSet
        case .job: [name] + job
        case .event: event
        case .node: [name] + node
        case .role, .clusterRole:
            [
                name,
                TableColumn("Created At") { resource, _ in resource.metadata["creationTimestamp"] ?? "" },
            ]
        case .roleBinding, .clusterRoleBinding: [name] + binding
        case .inferenceService: [name] + inferenceService
        case .trainedModel: [name, text("Url", ["status", "url"]), ready, age]
        case .customResourceDefinition:
            [name, TableColumn("Created At") { resource, _ in resource.metadata["creationTimestamp"] ?? "" }]
        default: [name, age]
        }
    }

    private static let workflow = [
        text("Status", ["status", "phase"]),
        // Argo counts from the start of the run, not from the creation of the object.
        TableColumn("Age", format: "date") { resource, now in
            let started = resource.status["startedAt"]?.stringValue
            return .string(started.map { Ages.text(since: $0, now) } ?? "")
        },
        text("Message", ["status", "message"]),
    ]

    /// The status of the condition `Ready`.
    private static let ready = TableColumn("Ready") { resource, _ in
        resource.status["conditions"]?.arrayValue?.first { $0["type"] == "Ready" }?["status"] ?? ""
    }

    private static let inferenceService = [
        text("URL", ["status", "url"]), ready,
        // Traffic in percent: all of it goes to one revision here.
        TableColumn("Prev") { _, _ in "" },
        TableColumn("Latest") { resource, _ in
            resource.json[path: "status", "components", "predictor", "latestReadyRevision"] == nil ? "" : "100"
        },
        text("PrevRolledoutRevision", ["status", "components", "predictor", "previousRolledoutRevision"]),
        text("LatestReadyRevision", ["status", "components", "predictor", "latestReadyRevision"]),
        age,
    ]

    private static let claim = [
        TableColumn("Status") { resource, _ in
            resource.isTerminating ? "Terminating" : resource.status["phase"] ?? ""
        },
        text("Volume", ["spec", "volumeName"]),
        TableColumn("Capacity") { resource, _ in resource.json[path: "status", "capacity", "storage"] ?? "" },
        TableColumn("Access Modes") { resource, _ in accessModes(resource.status["accessModes"]) },
        text("StorageClass", ["spec", "storageClassName"]),
        text("VolumeAttributesClass", ["spec", "volumeAttributesClassName"], none: "<unset>"),
        age,
        text("VolumeMode", wide: true, ["spec", "volumeMode"]),
    ]

    private static let event = [
        TableColumn("Last Seen") { resource, now in
            .string(
                Ages.text(
                    since: resource.json["lastTimestamp"]?.stringValue
                        ?? resource.metadata["creationTimestamp"]?.stringValue, now))
        },
        text("Type", ["type"]),
        text("Reason", ["reason"]),
        TableColumn("Object") { resource, _ in
            let object = resource.json["involvedObject"]
            return .string("\(object?["kind"]?.stringValue?.lowercased() ?? "")/\(object?["name"]?.stringValue ?? "")")
        },
        text("Subobject", wide: true, ["involvedObject", "fieldPath"]),
        text("Source", wide: true, ["source", "component"]),
        text("Message", ["message"]),
        TableColumn("First Seen", wide: true) { resource, now in
            .string(Ages.text(since: resource.json["firstTimestamp"]?.stringValue, now))
        },
        TableColumn("Count", type: "integer", wide: true) { resource, _ in resource.json["count"] ?? 1 },
        TableColumn("Name", format: "name", wide: true) { resource, _ in .string(resource.name) },
    ]

    private static let node = [
        TableColumn("Status") { resource, _ in
            let ready = resource.status["conditions"]?.arrayValue?.first { $0["type"] == "Ready" }
            let state = ready?["status"] == "True" ? "Ready" : "NotReady"
            return .string(resource.spec["unschedulable"] == true ? "\(state),SchedulingDisabled" : state)
        },
        TableColumn("Roles") { resource, _ in
            let prefix = "node-role.kubernetes.io/"
            let roles = resource.labels.keys.filter { $0.hasPrefix(prefix) }.map { String($0.dropFirst(prefix.count)) }
                .sorted()
            return .string(roles.isEmpty ? "<none>" : roles.joined(separator: ","))
        },
        age,
        text("Version", ["status", "nodeInfo", "kubeletVersion"]),
        TableColumn("Internal-IP", wide: true) { resource, _ in
            resource.status["addresses"]?.arrayValue?.first { $0["type"] == "InternalIP" }?["address"] ?? "<none>"
        },
        TableColumn("External-IP", wide: true) { _, _ in "<none>" },
        text("OS-Image", wide: true, ["status", "nodeInfo", "osImage"]),
        text("Kernel-Version", wide: true, ["status", "nodeInfo", "kernelVersion"], none: "<unknown>"),
        text("Container-Runtime", wide: true, ["status", "nodeInfo", "containerRuntimeVersion"]),
    ]

    private static let binding =
        [
            TableColumn("Role") { resource, _ in
                let role = resource.json["roleRef"]
                return .string("\(role?["kind"]?.stringValue ?? "")/\(role?["name"]?.stringValue ?? "")")
            },
            age,
        ]
        + [("Users", "User"), ("Groups", "Group"), ("ServiceAccounts", "ServiceAccount")].map { title, kind in
            TableColumn(title, wide: true) { resource, _ in
                let names = (resource.json["subjects"]?.arrayValue ?? []).filter { $0["kind"]?.stringValue == kind }.map
                { subject in
                    let name = subject["name"]?.stringValue ?? ""
                    return kind == "ServiceAccount" ? "\(subject["namespace"]?.stringValue ?? "")/\(name)" : name
                }
                return .string(names.joined(separator: ", "))
            }
        }
}
