// What a workflow may ask for. A field that would change a result and is not acted on is refused by name when the workflow
// starts; one that only says where or how comfortably to run is accepted.

import Formats

enum WorkflowRules {
    /// Kinds of templates that do not run here.
    static let refusedTemplates = ["containerSet", "http", "data", "plugin"]
    /// Sources and targets of artifacts that are not reached from here.
    static let foreignStores: Set<String> = [
        "s3", "git", "http", "gcs", "azure", "oss", "hdfs", "artifactory", "plugin",
    ]

    private static let refusedSpec = [
        "hooks", "synchronization", "podSpecPatch", "templateDefaults", "workflowTemplateRef", "executor",
    ]
    private static let knownSpec: Set<String> = [
        "entrypoint", "templates", "arguments", "onExit", "volumes", "volumeClaimTemplates", "parallelism",
        "activeDeadlineSeconds", "ttlStrategy", "shutdown", "suspend", "serviceAccountName", "podMetadata",
        // Accepted: they say where or how to run, or what to keep.
        "nodeSelector", "affinity", "tolerations", "priority", "podPriorityClassName", "podPriority", "schedulerName",
        "podGC", "artifactGC", "archiveLogs", "metrics", "podDisruptionBudget", "dnsConfig", "dnsPolicy", "hostAliases",
        "hostNetwork", "securityContext", "automountServiceAccountToken", "imagePullSecrets", "workflowMetadata",
        "artifactRepositoryRef", "volumeClaimGC", "podResources",
    ]
    private static let refusedTemplateFields = ["daemon", "memoize", "synchronization", "podSpecPatch"]
    private static let knownTemplateFields: Set<String> = [
        "name", "inputs", "outputs", "container", "script", "steps", "dag", "suspend", "resource", "retryStrategy",
        "parallelism",
        "failFast", "activeDeadlineSeconds", "timeout", "volumes", "sidecars", "initContainers", "metadata",
        "serviceAccountName", "nodeSelector", "affinity", "tolerations", "priorityClassName", "priority",
        "schedulerName",
        "hostAliases", "securityContext", "metrics", "archiveLocation", "automountServiceAccountToken", "executor",
        "podResources", "annotations",
    ]
    private static let refusedStepFields = ["hooks", "onExit", "templateRef"]
    private static let knownStepFields: Set<String> = [
        "name", "template", "inline", "arguments", "when", "withItems", "withParam", "withSequence", "continueOn",
        "depends",
        "dependencies",
    ]
    private static let refusedContainerFields = ["lifecycle", "envFromFile"]

    /// Throws a fault that names the first field that cannot be honoured.
    static func check(_ spec: JSON) throws(WorkflowFault) {
        try check(spec, "spec", refused: refusedSpec, known: knownSpec)
        guard let entrypoint = spec["entrypoint"]?.stringValue, !entrypoint.isEmpty else {
            throw WorkflowFault("spec.entrypoint is required")
        }
        guard let templates = spec["templates"]?.arrayValue, !templates.isEmpty else {
            throw WorkflowFault("spec.templates is required")
        }
        var names: Set<String> = []
        for template in templates {
            let name = template["name"]?.stringValue ?? ""
            guard names.insert(name).inserted else { throw WorkflowFault("template name '\(name)' is not unique") }
            try check(template: template, at: "templates.\(name)")
        }
        for (name, place) in [(entrypoint, "spec.entrypoint"), (spec["onExit"]?.stringValue ?? "", "spec.onExit")]
        where !name.isEmpty && !name.contains("{{") && !names.contains(name) {
            throw WorkflowFault("\(place) template name '\(name)' undefined")
        }
        for template in templates { try checkReferences(template, names) }
    }

    private static func check(template: JSON, at place: String) throws(WorkflowFault) {
        try check(
            template, place, refused: refusedTemplates + refusedTemplateFields, known: knownTemplateFields)
        let kinds = ["container", "script", "steps", "dag", "suspend", "resource"].filter { template[$0] != nil }
        guard kinds.count == 1 else {
            throw WorkflowFault(
                "\(place): exactly one of container, script, steps, dag, suspend and resource is needed, found "
                    + (kinds.isEmpty ? "none" : kinds.joined(separator: " and "))
            )
        }
        for (_, step) in steps(of: template) {
            let name = step["name"]?.stringValue ?? ""
            try check(step, "\(place).\(name)", refused: refusedStepFields, known: knownStepFields)
            if let inline = step["inline"] { try check(template: inline, at: "\(place).\(name).inline") }
        }
        for output in template["outputs"]?["parameters"]?.arrayValue ?? [] {
            let from = output["valueFrom"]?.objectValue?.keys ?? []
            if let unknown = from.first(where: { !["path", "parameter", "default"].contains($0) }) {
                throw WorkflowFault(
                    "\(place).outputs.parameters.\(output["name"]?.stringValue ?? ""): valueFrom.\(unknown) is not supported here"
                )
            }
        }
        for artifact in template["outputs"]?["artifacts"]?.arrayValue ?? [] {
            if let foreign = artifact.objectValue?.keys.first(where: { foreignStores.contains($0) }) {
                throw WorkflowFault(
                    "\(place).outputs.artifacts.\(artifact["name"]?.stringValue ?? ""): \(foreign) is not supported here; artifacts are kept by this server"
                )
            }
        }
    }

    private static func checkReferences(_ template: JSON, _ names: Set<String>) throws(WorkflowFault) {
        for (place, step) in steps(of: template) where step["inline"] == nil {
            let target = step["template"]?.stringValue ?? ""
            guard target.contains("{{") || names.contains(target) else {
                throw WorkflowFault(
                    "templates.\(template["name"]?.stringValue ?? "").\(place)\(step["name"]?.stringValue ?? "") template name '\(target)' undefined"
                )
            }
        }
    }

    private static func steps(of template: JSON) -> [(String, JSON)] {
        var all: [(String, JSON)] = []
        for (index, group) in (template["steps"]?.arrayValue ?? []).enumerated() {
            for step in group.arrayValue ?? [group] { all.append(("steps[\(index)].", step)) }
        }
        for task in template["dag"]?["tasks"]?.arrayValue ?? [] { all.append(("tasks.", task)) }
        return all
    }

    private static func check(
        _ object: JSON, _ place: String, refused: [String], known: Set<String>
    ) throws(WorkflowFault) {
        for (key, value) in object.objectValue ?? JSONObject() where value != .null {
            if refused.contains(key) { throw WorkflowFault("\(place).\(key) is not supported here") }
            guard known.contains(key) else { throw WorkflowFault("\(place).\(key) is not a field that is known here") }
        }
    }
}
