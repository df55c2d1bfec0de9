import Cluster

/// One resource as discovery shows it.
struct APIResource: Sendable {
    struct Subresource: Sendable {
        let name: String
        let group: String
        let version: String
        let kind: String
        let verbs: [String]
    }

    let plural: String
    let singular: String
    let kind: String
    let isNamespaced: Bool
    var shortNames: [String] = []
    var categories: [String] = []
    let verbs: [String]
    var subresources: [Subresource] = []

    init(_ kind: ResourceKind) {
        plural = kind.plural
        singular = kind.singular
        self.kind = kind.kind
        isNamespaced = kind.isNamespaced
        shortNames = kind.shortNames
        categories = kind.categories
        verbs = ["create", "delete", "deletecollection", "get", "list", "patch", "update", "watch"]
        if kind.hasStatusSubresource {
            subresources.append(
                Subresource(
                    name: "status", group: kind.group, version: kind.version, kind: kind.kind,
                    verbs: ["get", "patch", "update"]))
        }
        if kind.isScalable {
            subresources.append(
                Subresource(
                    name: "scale", group: "autoscaling", version: "v1", kind: "Scale",
                    verbs: ["get", "patch", "update"]
                ))
        }
        if kind == .pod {
            subresources.append(Subresource(name: "log", group: "", version: "v1", kind: "Pod", verbs: ["get"]))
            subresources.append(
                Subresource(name: "exec", group: "", version: "v1", kind: "PodExecOptions", verbs: ["create", "get"]))
            subresources.append(
                Subresource(
                    name: "portforward", group: "", version: "v1", kind: "PodPortForwardOptions",
                    verbs: ["create", "get"]))
        }
    }

    /// A kind that is asked and answered, never stored.
    init(review kind: String, plural: String, isNamespaced: Bool = false) {
        self.plural = plural
        singular = kind.lowercased()
        self.kind = kind
        self.isNamespaced = isNamespaced
        verbs = ["create"]
    }
}

/// One group in its one version.
struct APIGroup: Sendable {
    let name: String
    let version: String
    let resources: [APIResource]

    var groupVersion: String { name.isEmpty ? version : "\(name)/\(version)" }

    /// The groups of `kinds`, in their order, and those of the reviews.
    static func served(kinds: [ResourceKind]) -> [APIGroup] {
        var groups: [APIGroup] = []
        for kind in kinds where !groups.contains(where: { $0.name == kind.group && $0.version == kind.version }) {
            let members = kinds.filter { $0.group == kind.group && $0.version == kind.version }
            groups.append(APIGroup(name: kind.group, version: kind.version, resources: members.map { APIResource($0) }))
        }
        groups.append(
            APIGroup(
                name: "authentication.k8s.io", version: "v1",
                resources: [APIResource(review: "SelfSubjectReview", plural: "selfsubjectreviews")]))
        groups.append(
            APIGroup(
                name: "authorization.k8s.io", version: "v1",
                resources: [
                    APIResource(review: "SelfSubjectAccessReview", plural: "selfsubjectaccessreviews"),
                    APIResource(review: "SelfSubjectRulesReview", plural: "selfsubjectrulesreviews"),
                ]))
        return groups
    }
}
