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
        var pod = RuleChecker(object: template, previous: nil)
        pod.pod()
        for cause in pod.causes {
            var cause = cause
            cause.field = "spec.template.\(cause.field)"
            causes.append(cause)
        }
        oneOf(object[path: "spec", "strategy", "type"], "spec.strategy.type", ["Recreate", "RollingUpdate"])
    }
}
