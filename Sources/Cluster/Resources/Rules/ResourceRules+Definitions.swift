import Formats

extension RuleChecker {
    mutating func refuse(_ kind: ResourceKind) {
        causes.append(
            .invalid(
                "kind", value: .string(kind.kind),
                "is not carried out by this server: of Argo's kinds it runs \(ResourceKind.workflow.kind) alone"))
    }

    /// A definition must be of a kind that is known here: nothing would act on objects of any other.
    mutating func customResourceDefinition() {
        let group = object[path: "spec", "group"]?.stringValue ?? ""
        let plural = object[path: "spec", "names", "plural"]?.stringValue ?? ""
        guard !group.isEmpty, !plural.isEmpty else {
            causes.append(.required(group.isEmpty ? "spec.group" : "spec.names.plural"))
            return
        }
        if object[path: "metadata", "name"]?.stringValue != "\(plural).\(group)" {
            causes.append(
                .invalid(
                    "metadata.name", value: object[path: "metadata", "name"] ?? .null,
                    "must be spec.names.plural+\".\"+spec.group"))
        }
        if ResourceDefaults.servedKind(of: object) == nil {
            let served = ResourceKind.all.filter { $0.group.contains(".") && !$0.group.hasSuffix("k8s.io") }
            causes.append(
                .invalid(
                    "spec.names.plural", value: .string(plural),
                    "this server has no kind \(plural).\(group); it serves \(served.map(\.qualifiedPlural).joined(separator: ", "))"
                ))
        }
    }
}

extension ResourceDefaults {
    /// The kind that a definition defines, when it is served.
    static func servedKind(of definition: JSON) -> ResourceKind? {
        let versions = (definition[path: "spec", "versions"]?.arrayValue ?? []).compactMap { $0["name"]?.stringValue }
        return ResourceKind.all.first { kind in
            kind.group == definition[path: "spec", "group"]?.stringValue
                && kind.plural == definition[path: "spec", "names", "plural"]?.stringValue
                && (versions.isEmpty || versions.contains(kind.version))
        }
    }

    /// The status of a definition: its kind is served from the start.
    static func definitionStatus(_ definition: JSON) -> JSON {
        guard let kind = servedKind(of: definition) else { return [:] }
        let time = definition[path: "metadata", "creationTimestamp"] ?? .null
        func condition(_ type: String, _ reason: String, _ message: String) -> JSON {
            [
                "type": .string(type), "status": "True", "reason": .string(reason), "message": .string(message),
                "lastTransitionTime": time,
            ]
        }
        return [
            "acceptedNames": definition[path: "spec", "names"] ?? [:], "storedVersions": [.string(kind.version)],
            "conditions": [
                condition("NamesAccepted", "NoConflicts", "no conflicts found"),
                condition(
                    "Established", "InitialNamesAccepted",
                    ResourceKind.argoRefused.contains(kind)
                        ? "the kind is known; its objects are refused, as nothing here carries them out"
                        : "the kind is built in"),
            ],
        ]
    }
}
