import Formats

extension RuleChecker {
    mutating func pod() {
        require(object[path: "spec", "containers"], "spec.containers")
        oneOf(object[path: "spec", "restartPolicy"], "spec.restartPolicy", ["Always", "OnFailure", "Never"])
        let volumes = object[path: "spec", "volumes"]?.arrayValue ?? []
        var volumeNames: Set<String> = []
        for (index, volume) in volumes.enumerated() {
            name(volume["name"], "spec.volumes[\(index)].name", &volumeNames)
        }
        var names: Set<String> = []
        for list in ["initContainers", "containers"] {
            for (index, container) in (object[path: "spec", list]?.arrayValue ?? []).enumerated() {
                let field = "spec.\(list)[\(index)]"
                name(container["name"], "\(field).name", &names)
                require(container["image"], "\(field).image")
                oneOf(container["imagePullPolicy"], "\(field).imagePullPolicy", ["Always", "IfNotPresent", "Never"])
                environment(container, field)
                mounts(container, field, volumeNames)
                ports(container, field)
                for amounts in ["limits", "requests"] {
                    for (resource, amount) in container[path: "resources", amounts]?.objectValue ?? JSONObject() {
                        quantity(amount, "\(field).resources.\(amounts)[\(resource)]")
                    }
                }
            }
        }
        guard let previous else { return }
        if Self.fixedPart(previous) != Self.fixedPart(object) {
            causes.append(
                ClusterError.Cause(
                    reason: "FieldValueForbidden",
                    message: "Forbidden: pod updates may not change fields other than `spec.containers[*].image`,"
                        + "`spec.initContainers[*].image`,`spec.activeDeadlineSeconds`,`spec.tolerations` (only "
                        + "additions to existing tolerations),`spec.terminationGracePeriodSeconds` (allow it to be "
                        + "set to 1 if it was previously negative)",
                    field: "spec"))
        }
    }

    /// A pod's spec without the fields that may change.
    private static func fixedPart(_ pod: JSON) -> JSON {
        var spec = pod["spec"] ?? [:]
        for field in ["activeDeadlineSeconds", "tolerations", "nodeName"] { spec[field] = nil }
        for list in ["containers", "initContainers"] {
            guard let containers = spec[list]?.arrayValue else { continue }
            spec[list] = .array(
                containers.map {
                    var container = $0
                    if container.objectValue != nil { container["image"] = nil }
                    return container
                })
        }
        return spec
    }

    private mutating func name(_ value: JSON?, _ field: String, _ seen: inout Set<String>) {
        guard let name = value?.stringValue, !name.isEmpty else { return causes.append(.required(field)) }
        if let fault = ObjectNames.labelFault(name) { causes.append(.invalid(field, value: .string(name), fault)) }
        if !seen.insert(name).inserted {
            causes.append(
                ClusterError.Cause(reason: "FieldValueDuplicate", message: "Duplicate value: \"\(name)\"", field: field)
            )
        }
    }

    private mutating func environment(_ container: JSON, _ field: String) {
        for (index, variable) in (container["env"]?.arrayValue ?? []).enumerated() {
            require(variable["name"], "\(field).env[\(index)].name")
            if variable["valueFrom"] != nil, !(variable["value"]?.stringValue ?? "").isEmpty {
                causes.append(
                    .invalid(
                        "\(field).env[\(index)].valueFrom", value: "", "may not be specified when `value` is not empty")
                )
            }
        }
    }

    private mutating func ports(_ container: JSON, _ field: String) {
        for (index, entry) in (container["ports"]?.arrayValue ?? []).enumerated() {
            let hostPort = entry["hostPort"]?.intValue ?? 0
            for (name, number) in [("containerPort", entry["containerPort"]?.intValue ?? 0), ("hostPort", hostPort)]
            where !(1...65_535).contains(number) && !(name == "hostPort" && number == 0) {
                causes.append(
                    .invalid(
                        "\(field).ports[\(index)].\(name)", value: entry[name] ?? 0,
                        "must be between 1 and 65535, inclusive"))
            }
        }
    }

    private mutating func mounts(_ container: JSON, _ field: String, _ volumes: Set<String>) {
        for (index, mount) in (container["volumeMounts"]?.arrayValue ?? []).enumerated() {
            require(mount["mountPath"], "\(field).volumeMounts[\(index)].mountPath")
            guard let name = mount["name"]?.stringValue, !name.isEmpty else {
                causes.append(.required("\(field).volumeMounts[\(index)].name"))
                continue
            }
            if !volumes.contains(name) {
                causes.append(
                    ClusterError.Cause(
                        reason: "FieldValueNotFound", message: "Not found: \"\(name)\"",
                        field: "\(field).volumeMounts[\(index)].name"))
            }
        }
    }

    mutating func persistentVolumeClaim() {
        let modes = object[path: "spec", "accessModes"]
        require(modes, "spec.accessModes", "at least 1 access mode is required")
        for mode in modes?.arrayValue ?? [] {
            oneOf(mode, "spec.accessModes", ["ReadOnlyMany", "ReadWriteMany", "ReadWriteOnce", "ReadWriteOncePod"])
        }
        if let storage = object[path: "spec", "resources", "requests", "storage"] {
            quantity(storage, "spec.resources[storage]")
        } else {
            causes.append(.required("spec.resources[storage]"))
        }
        for field in ["accessModes", "selector", "storageClassName", "volumeMode"] {
            immutable(["spec", field], "spec is immutable after creation except resources.requests")
        }
    }

    mutating func configMap() {
        dataKeys("data")
        dataKeys("binaryData")
        base64("binaryData")
        for (key, value) in object["data"]?.objectValue ?? JSONObject() where value.stringValue == nil {
            causes.append(.invalid("data[\(key)]", value: value, "must be a string; quote it"))
        }
        if previous?["immutable"] == true {
            for field in ["data", "binaryData", "immutable"] {
                immutable([field], "field is immutable when `immutable` is set")
            }
        }
    }

    mutating func secret() {
        dataKeys("data")
        base64("data")
        immutable(["type"])
        if previous?["immutable"] == true {
            for field in ["data", "immutable"] { immutable([field], "field is immutable when `immutable` is set") }
        }
        let needed: [String] =
            switch object["type"]?.stringValue {
            case "kubernetes.io/tls": ["tls.crt", "tls.key"]
            case "kubernetes.io/dockerconfigjson": [".dockerconfigjson"]
            case "kubernetes.io/ssh-auth": ["ssh-privatekey"]
            default: []
            }
        for key in needed where object[path: "data", key] == nil { causes.append(.required("data[\(key)]")) }
    }

    mutating func service() {
        oneOf(object[path: "spec", "type"], "spec.type", ["ClusterIP", "ExternalName", "LoadBalancer", "NodePort"])
        let type = object[path: "spec", "type"]?.stringValue
        if type != "ExternalName", object[path: "spec", "clusterIP"] != "None" {
            require(object[path: "spec", "ports"], "spec.ports")
        }
        for (index, port) in (object[path: "spec", "ports"]?.arrayValue ?? []).enumerated() {
            let number = port["port"]?.intValue ?? 0
            if !(1...65535).contains(number) {
                causes.append(
                    .invalid(
                        "spec.ports[\(index)].port", value: port["port"] ?? 0, "must be between 1 and 65535, inclusive")
                )
            }
        }
    }

    mutating func event() {
        require(object["involvedObject"], "involvedObject")
    }
}
