// The template of a workload: its identity as a hash, and the pods made from it.

import Bytes
import Formats

enum PodTemplate {
    static let hashLabel = "pod-template-hash"

    /// A short name for a template: equal templates have equal ones, whatever the order of their members.
    static func hash(_ template: JSON) -> String {
        var hash: UInt64 = 0xcbf2_9ce4_8422_2325
        for byte in canonical(withoutHash(template)) { hash = (hash ^ UInt64(byte)) &* 0x100_0000_01b3 }
        let alphabet = Array("bcdfghjklmnpqrstvwxz2456789".utf8)
        var name: [UInt8] = []
        for _ in 0..<10 {
            name.append(alphabet[Int(hash % UInt64(alphabet.count))])
            hash /= UInt64(alphabet.count)
        }
        return String(utf8: name)
    }

    static func areEqual(_ left: JSON, _ right: JSON) -> Bool { withoutHash(left) == withoutHash(right) }

    static func withoutHash(_ template: JSON) -> JSON {
        var template = template
        guard template[path: "metadata", "labels"] != nil else { return template }
        template[path: "metadata", "labels", hashLabel] = nil
        return template
    }

    private static func canonical(_ value: JSON) -> [UInt8] {
        switch value {
        case .object(let object):
            let members = object.map { ($0.key, $0.value) }.sorted { $0.0 < $1.0 }
            return members.reduce(into: [UInt8(ascii: "{")]) { out, member in
                out += JSON.string(member.0).encoded + canonical(member.1)
            }
        case .array(let elements):
            return elements.reduce(into: [UInt8(ascii: "[")]) { $0 += canonical($1) }
        default: return value.encoded + [UInt8(ascii: ",")]
        }
    }

    /// A pod of `owner`, made from its template.
    static func pod(of owner: Resource) -> JSON {
        let template = owner.spec["template"] ?? [:]
        var metadata: JSON = [
            "generateName": .string("\(owner.name)-"), "ownerReferences": [owner.ownerReference],
        ]
        for field in ["labels", "annotations", "finalizers"] { metadata[field] = template["metadata"]?[field] }
        return ["metadata": metadata, "spec": template["spec"] ?? [:]]
    }
}

extension Resource {
    /// The uid and kind of the object that controls this one.
    var controller: (kind: String, name: String, uid: String)? {
        for owner in metadata["ownerReferences"]?.arrayValue ?? [] where owner["controller"]?.boolValue == true {
            return (
                owner["kind"]?.stringValue ?? "", owner["name"]?.stringValue ?? "", owner["uid"]?.stringValue ?? ""
            )
        }
        return nil
    }

    var replicas: Int { Int(clamping: spec["replicas"]?.intValue ?? 1) }

    func count(_ statusField: String) -> Int { Int(clamping: status[statusField]?.intValue ?? 0) }

    /// True for a pod that has not ended and is not being deleted.
    var isActivePod: Bool {
        let phase = status["phase"]?.stringValue
        return !isTerminating && phase != "Succeeded" && phase != "Failed"
    }
}
