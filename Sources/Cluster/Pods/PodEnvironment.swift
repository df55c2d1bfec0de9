// The variables of a container: literal values, references to ConfigMaps, Secrets and the pod's own fields, and `$(NAME)`
// in values, commands and arguments.

import Bytes
import Formats

/// Looks up what a pod refers to in its namespace; nil when it does not exist.
struct PodReferences {
    var configMap: (String) -> Resource?
    var secret: (String) -> Resource?
    var claim: (String) -> Resource?
    var serviceAccount: (String) -> Resource?
    /// Volumes by name, of the whole cluster.
    var persistentVolume: (String) -> Resource? = { _ in nil }
}

extension Resource {
    /// A key's value in a ConfigMap or Secret, decoded.
    func dataValue(_ key: String) -> [UInt8]? {
        if kind == .secret {
            guard let text = json["data"]?[key]?.stringValue else { return nil }
            return Base64.decode(Array(text.utf8))
        }
        if let text = json["data"]?[key]?.stringValue { return Array(text.utf8) }
        return json["binaryData"]?[key]?.stringValue.flatMap { Base64.decode(Array($0.utf8)) }
    }

    var dataKeys: [String] {
        (json["data"]?.objectValue?.keys ?? []) + (kind == .secret ? [] : json["binaryData"]?.objectValue?.keys ?? [])
    }
}

struct PodEnvironment {
    let pod: Resource
    let references: PodReferences
    /// The pod's own address.
    let address: String
    private(set) var variables: [(name: String, value: String)] = []
    private var positions: [String: Int] = [:]

    init(pod: Resource, references: PodReferences, address: String = PodStatus.nodeAddress) {
        self.pod = pod
        self.address = address
        self.references = references
    }

    mutating func set(_ name: String, _ value: String) {
        if let position = positions[name] {
            variables[position].value = value
        } else {
            positions[name] = variables.count
            variables.append((name, value))
        }
    }

    /// Adds `envFrom` and `env` of `container`, in Kubernetes' order: later ones win.
    mutating func add(_ container: JSON) throws(PodFault) {
        let name = container["name"]?.stringValue ?? ""
        func fault(_ message: String) -> PodFault {
            .waiting(container: name, reason: "CreateContainerConfigError", message: message)
        }
        for source in container["envFrom"]?.arrayValue ?? [] {
            let isSecret = source["secretRef"] != nil
            let reference = source["secretRef"] ?? source["configMapRef"] ?? [:]
            let target = reference["name"]?.stringValue ?? ""
            guard let found = isSecret ? references.secret(target) : references.configMap(target) else {
                if reference["optional"]?.boolValue == true { continue }
                throw fault("\(isSecret ? "secret" : "configmap") \"\(target)\" not found")
            }
            for key in found.dataKeys {
                set((source["prefix"]?.stringValue ?? "") + key, String(utf8: found.dataValue(key) ?? []))
            }
        }
        for entry in container["env"]?.arrayValue ?? [] {
            guard let variable = entry["name"]?.stringValue, !variable.isEmpty else { continue }
            if let from = entry["valueFrom"], from.objectValue?.isEmpty == false {
                if let value = try value(from, variable: variable, fault: fault) { set(variable, value) }
            } else {
                set(variable, expand(entry["value"]?.stringValue ?? ""))
            }
        }
    }

    private func value(_ from: JSON, variable: String, fault: (String) -> PodFault) throws(PodFault) -> String? {
        if let reference = from["configMapKeyRef"] ?? from["secretKeyRef"] {
            let isSecret = from["secretKeyRef"] != nil
            let target = reference["name"]?.stringValue ?? ""
            let key = reference["key"]?.stringValue ?? ""
            let isOptional = reference["optional"]?.boolValue == true
            let kind = isSecret ? "secret" : "configmap"
            guard let found = isSecret ? references.secret(target) : references.configMap(target) else {
                if isOptional { return nil }
                throw fault("\(kind) \"\(target)\" not found")
            }
            guard let value = found.dataValue(key) else {
                if isOptional { return nil }
                throw fault("couldn't find key \(key) in \(kind) \(pod.namespace)/\(target)")
            }
            return String(utf8: value)
        }
        if let path = from["fieldRef"]?["fieldPath"]?.stringValue {
            guard let value = field(path) else {
                throw fault("env \(variable): fieldRef \"\(path)\" is not supported here")
            }
            return value
        }
        let source = from.objectValue?.keys.first ?? ""
        throw fault("env \(variable): valueFrom.\(source) is not supported here")
    }

    /// The pod's field at a downward API path; nil when there is none of that name.
    func field(_ path: String) -> String? {
        switch path {
        case "metadata.name": return pod.name
        case "metadata.namespace": return pod.namespace
        case "metadata.uid": return pod.uid
        case "spec.nodeName": return PodStatus.nodeName
        case "spec.serviceAccountName": return pod.spec["serviceAccountName"]?.stringValue ?? "default"
        case "status.podIP", "status.podIPs": return address
        case "status.hostIP", "status.hostIPs": return PodStatus.nodeAddress
        default: break
        }
        for (prefix, values) in [("metadata.labels['", pod.labels), ("metadata.annotations['", pod.annotations)]
        where path.hasPrefix(prefix) && path.hasSuffix("']") {
            return values[String(path.dropFirst(prefix.count).dropLast(2))] ?? ""
        }
        return nil
    }

    /// Replaces `$(NAME)` by the variable's value; `$$` stands for `$`, and an unknown name is left as it is.
    func expand(_ text: String) -> String {
        guard text.utf8.contains(UInt8(ascii: "$")) else { return text }
        let bytes = Array(text.utf8)
        var out: [UInt8] = []
        var index = 0
        while index < bytes.count {
            guard bytes[index] == UInt8(ascii: "$"), index + 1 < bytes.count else {
                out.append(bytes[index])
                index += 1
                continue
            }
            if bytes[index + 1] == UInt8(ascii: "$") {
                out.append(UInt8(ascii: "$"))
                index += 2
            } else if bytes[index + 1] == UInt8(ascii: "("), let end = bytes[index...].firstIndex(of: UInt8(ascii: ")"))
            {
                let name = String(utf8: bytes[index + 2..<end])
                if let position = positions[name] {
                    out.append(variables[position].value)
                } else {
                    out.append(contentsOf: bytes[index...end])
                }
                index = end + 1
            } else {
                out.append(bytes[index])
                index += 1
            }
        }
        return String(utf8: out)
    }
}
