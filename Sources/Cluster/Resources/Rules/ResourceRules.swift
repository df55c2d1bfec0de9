// What makes an object of a built-in kind acceptable: required fields, values from closed sets, fields that may not
// change. Workflows are checked by their controller, which reports through their status, as Argo's does.

import Bytes
import Formats

/// Checks of one object. Each rule appends what it finds; nothing stops at the first fault.
enum ResourceRules {
    static func causes(_ kind: ResourceKind, _ object: JSON, previous: JSON? = nil) -> [ClusterError.Cause] {
        var rules = RuleChecker(object: object, previous: previous)
        switch kind {
        case .pod: rules.pod()
        case .persistentVolumeClaim: rules.persistentVolumeClaim()
        case .persistentVolume: rules.persistentVolume()
        case .storageClass: rules.storageClass()
        case .configMap: rules.configMap()
        case .secret: rules.secret()
        case .role, .clusterRole: rules.role()
        case .roleBinding, .clusterRoleBinding: rules.binding()
        case .service: rules.service()
        case .event: rules.event()
        case .customResourceDefinition: rules.customResourceDefinition()
        case .deployment, .replicaSet: rules.workload()
        case .job: rules.job()
        case .inferenceService: rules.inferenceService()
        case .trainedModel: rules.trainedModel()
        default: if ResourceKind.argoRefused.contains(kind) { rules.refuse(kind) }
        }
        return rules.causes
    }
}

/// Gathers the faults of one object.
struct RuleChecker {
    let object: JSON
    let previous: JSON?
    var causes: [ClusterError.Cause] = []

    mutating func require(_ value: JSON?, _ field: String, _ rule: String = "") {
        switch value {
        case nil, .null, .string(""), .array([]): causes.append(.required(field, rule))
        default: break
        }
    }

    mutating func oneOf(_ value: JSON?, _ field: String, _ allowed: [String]) {
        guard let text = value?.stringValue, !allowed.contains(text) else { return }
        causes.append(.unsupported(field, value: text, allowed))
    }

    /// A field that keeps the value it was created with.
    mutating func immutable(_ path: [String], _ rule: String = "field is immutable") {
        guard let previous else { return }
        let before = path.reduce(Optional(previous)) { $0?[$1] }
        let after = path.reduce(Optional(object)) { $0?[$1] }
        if before != after { causes.append(.invalid(path.joined(separator: "."), value: after ?? .null, rule)) }
    }

    /// Values that must be Base64 text.
    mutating func base64(_ field: String) {
        for (key, value) in object[field]?.objectValue ?? JSONObject() {
            if value.stringValue.flatMap({ Base64.decode($0.utf8) }) == nil, value != .null {
                causes.append(.invalid("\(field)[\(key)]", value: "<secret contents redacted>", "must be base64"))
            }
        }
    }

    /// Keys that may become file names.
    mutating func dataKeys(_ field: String) {
        for (key, _) in object[field]?.objectValue ?? JSONObject() {
            let isPlain = key.utf8.allSatisfy {
                ASCII.isDigit($0) || ASCII.lowercase($0) &- UInt8(ascii: "a") < 26 || [0x2d, 0x2e, 0x5f].contains($0)
            }
            if !isPlain || key.isEmpty || key.utf8.count > 253 || key == "." || key.hasPrefix("..") {
                causes.append(
                    .invalid(
                        "\(field)[\(key)]", value: .string(key),
                        "a valid config key must consist of alphanumeric characters, '-', '_' or '.' (e.g. "
                            + "'key.name',  or 'KEY_NAME',  or 'key-name', regex used for validation is "
                            + "'[-._a-zA-Z0-9]+')"))
            }
        }
    }

    mutating func quantity(_ value: JSON, _ field: String) {
        let text: String? =
            switch value {
            case .string(let text): text
            case .int(let number): String(number)
            case .double(let number): "\(number)"
            default: nil
            }
        guard let amount = text.flatMap({ Quantity($0) }) else {
            causes.append(
                .invalid(
                    field, value: value,
                    "quantities must match the regular expression '^([+-]?[0-9.]+)([eEinumkKMGTP]*[-+]?[0-9]*)$'"))
            return
        }
        if amount.thousandths < 0 { causes.append(.invalid(field, value: value, "must be greater than or equal to 0")) }
    }
}
