// The kinds of objects the cluster serves, as data: one file of `Kinds/` for each API group. Discovery, routing,
// storage and deletion all read this table; a kind that is not in it does not exist.

/// A kind of object and how it is named, scoped and deleted. Compared by identity: there is one value for each kind.
package final class ResourceKind: Sendable {
    /// The rule for `metadata.name`.
    package enum NameRule: Sendable {
        /// RFC 1123 subdomain, at most 253 characters: most kinds.
        case subdomain
        /// RFC 1123 label, at most 63 characters: namespaces, services.
        case label
        /// Anything that may stand as one path segment: roles and bindings.
        case pathSegment
    }

    /// The API group; empty for the core group.
    package let group: String
    package let version: String
    /// The kind, `Pod`.
    package let kind: String
    /// The resource, `pods`.
    package let plural: String
    package let shortNames: [String]
    package let categories: [String]
    package let isNamespaced: Bool
    /// True when `status` is written through its own subresource and ignored by writes of the object.
    package let hasStatusSubresource: Bool
    /// True when `metadata.generation` counts changes outside `metadata` and `status`.
    package let countsGenerations: Bool
    /// True when a deletion first marks the object and a controller removes it once its process has ended.
    package let deletesGracefully: Bool
    /// True when `spec.replicas` is also served as the subresource `scale`.
    package let isScalable: Bool
    package let nameRule: NameRule
    /// Fields besides `metadata.name` and `metadata.namespace` that field selectors may name.
    package let selectableFields: [String]

    package init(
        group: String = "", version: String = "v1", kind: String, plural: String, shortNames: [String] = [],
        categories: [String] = [], isNamespaced: Bool = true, hasStatusSubresource: Bool = false,
        countsGenerations: Bool = false, deletesGracefully: Bool = false, isScalable: Bool = false,
        nameRule: NameRule = .subdomain,
        selectableFields: [String] = []
    ) {
        self.group = group
        self.version = version
        self.kind = kind
        self.plural = plural
        self.shortNames = shortNames
        self.categories = categories
        self.isNamespaced = isNamespaced
        self.hasStatusSubresource = hasStatusSubresource
        self.countsGenerations = countsGenerations
        self.deletesGracefully = deletesGracefully
        self.isScalable = isScalable
        self.nameRule = nameRule
        self.selectableFields = selectableFields
    }

    package var singular: String { kind.lowercased() }

    /// `v1`, `argoproj.io/v1alpha1`.
    package var apiVersion: String { group.isEmpty ? version : "\(group)/\(version)" }

    /// `pods`, `workflows.argoproj.io`: how messages name the resource.
    package var qualifiedPlural: String { group.isEmpty ? plural : "\(plural).\(group)" }
}

extension ResourceKind: Hashable, CustomStringConvertible {
    package static func == (left: ResourceKind, right: ResourceKind) -> Bool { left === right }
    package func hash(into hasher: inout Hasher) { hasher.combine(ObjectIdentifier(self)) }
    package var description: String { qualifiedPlural }

    /// True for kinds that a real cluster has from a CustomResourceDefinition: they are only ever JSON, and patches replace
    /// their lists whole.
    package var isCustom: Bool { ["argoproj.io", "serving.kserve.io"].contains(group) }

    /// Every kind served, core group first.
    package static let all: [ResourceKind] =
        core + workloads + accessControl + definitions + argo + kserve
}
