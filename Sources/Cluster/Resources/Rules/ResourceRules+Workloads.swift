import Formats

extension RuleChecker {
    /// Deployments and ReplicaSets: a selector that picks the template's own pods, and a template that pods can be made of.
    mutating func workload() {
        if let replicas = object[path: "spec", "replicas"]?.intValue, replicas < 0 {
            causes.append(.invalid("spec.replicas", value: .int(replicas), "must be greater than or equal to 0"))
        }
        let selector = object[path: "spec", "selector", "matchLabels"]?.stringMap ?? [:]
        let expressions = object[path: "spec", "selector", "matchExpressions"]?.arrayValue ?? []
        if selector.isEmpty, expressions.isEmpty { causes.append(.required("spec.selector")) }
        if !expressions.isEmpty {
            causes.append(
                .invalid(
                    "spec.selector.matchExpressions", value: .array(expressions),
                    "only matchLabels is supported here"))
        }
        immutable(["spec", "selector"])
        let template = object[path: "spec", "template"] ?? [:]
        let labels = template["metadata"]?["labels"]?.stringMap ?? [:]
        if !selector.allSatisfy({ labels[$0.key] == $0.value }) {
            causes.append(
                .invalid(
                    "spec.template.metadata.labels", value: template["metadata"]?["labels"] ?? [:],
                    "`selector` does not match template `labels`"))
        }
        let policy = template["spec"]?["restartPolicy"]?.stringValue ?? "Always"
        if policy != "Always" {
            causes.append(.unsupported("spec.template.spec.restartPolicy", value: policy, ["Always"]))
        }
        podTemplate(template)
        oneOf(object[path: "spec", "strategy", "type"], "spec.strategy.type", ["Recreate", "RollingUpdate"])
    }

    private mutating func podTemplate(_ template: JSON) {
        var pod = RuleChecker(object: template, previous: nil)
        pod.pod()
        for cause in pod.causes {
            var cause = cause
            cause.field = "spec.template.\(cause.field)"
            causes.append(cause)
        }
    }

    /// Jobs: counts within bounds, pods that can end, and nothing that is not carried out here.
    mutating func job() {
        let spec = object["spec"] ?? [:]
        // The list of counted pods is kept in an annotation, which has a limit.
        for (field, most) in [
            ("parallelism", 1000), ("completions", 5000), ("backoffLimit", 1000), ("activeDeadlineSeconds", Int64.max),
            ("ttlSecondsAfterFinished", Int64.max),
        ] as [(String, Int64)] {
            guard let value = spec[field]?.intValue else { continue }
            if value < 0 {
                causes.append(
                    .invalid("spec.\(field)", value: .int(value), "must be greater than or equal to 0"))
            } else if value > most {
                causes.append(
                    .invalid("spec.\(field)", value: .int(value), "must be less than or equal to \(most) here"))
            }
        }
        oneOf(spec["completionMode"], "spec.completionMode", ["NonIndexed", "Indexed"])
        if spec["completionMode"] == "Indexed" {
            require(spec["completions"], "spec.completions", "when completion mode is Indexed")
        }
        oneOf(spec["podReplacementPolicy"], "spec.podReplacementPolicy", ["TerminatingOrFailed"])
        for field in ["podFailurePolicy", "successPolicy", "backoffLimitPerIndex", "maxFailedIndexes", "managedBy"] {
            guard let value = spec[field] else { continue }
            causes.append(.invalid("spec.\(field)", value: value, "is not supported here"))
        }
        if let name = object[path: "metadata", "name"]?.stringValue, name.utf8.count > 63 {
            causes.append(.invalid("metadata.name", value: .string(name), "must be no more than 63 characters"))
        }
        immutable(["spec", "completions"])
        immutable(["spec", "completionMode"])
        immutable(["spec", "selector"])
        immutable(["spec", "template"])
        let template = spec["template"] ?? [:]
        oneOf(
            template["spec"]?["restartPolicy"] ?? "Always", "spec.template.spec.restartPolicy", ["OnFailure", "Never"])
        let labels = template["metadata"]?["labels"]?.stringMap ?? [:]
        if !(spec[path: "selector", "matchLabels"]?.stringMap ?? [:]).allSatisfy({ labels[$0.key] == $0.value }) {
            causes.append(
                .invalid(
                    "spec.template.metadata.labels", value: template["metadata"]?["labels"] ?? [:],
                    "`selector` does not match template `labels`"))
        }
        podTemplate(template)
    }
}
