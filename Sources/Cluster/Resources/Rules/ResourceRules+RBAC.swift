import Formats

extension RuleChecker {
    mutating func role() {
        for (index, rule) in (object["rules"]?.arrayValue ?? []).enumerated() {
            require(rule["verbs"], "rules[\(index)].verbs", "verbs must contain at least one value")
            if !(rule["nonResourceURLs"]?.arrayValue ?? []).isEmpty { continue }
            if rule["apiGroups"]?.arrayValue?.isEmpty ?? true {
                causes.append(
                    .required("rules[\(index)].apiGroups", "resource rules must supply at least one api group"))
            }
            require(rule["resources"], "rules[\(index)].resources", "resource rules must supply at least one resource")
        }
    }

    mutating func binding() {
        let reference = object["roleRef"]
        if reference?["apiGroup"]?.stringValue != "rbac.authorization.k8s.io" {
            causes.append(
                .unsupported(
                    "roleRef.apiGroup", value: reference?["apiGroup"]?.stringValue ?? "", ["rbac.authorization.k8s.io"])
            )
        }
        oneOf(reference?["kind"] ?? "", "roleRef.kind", ["Role", "ClusterRole"])
        require(reference?["name"], "roleRef.name")
        immutable(["roleRef"], "cannot change roleRef")
        for (index, subject) in (object["subjects"]?.arrayValue ?? []).enumerated() {
            oneOf(subject["kind"] ?? "", "subjects[\(index)].kind", ["ServiceAccount", "User", "Group"])
            require(subject["name"], "subjects[\(index)].name")
            if subject["kind"] == "ServiceAccount", object["kind"] == "ClusterRoleBinding" {
                require(subject["namespace"], "subjects[\(index)].namespace")
            }
        }
    }
}
