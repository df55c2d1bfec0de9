extension ResourceKind {
    /// Definitions of kinds that are known; one of another kind is refused.
    package static let customResourceDefinition = ResourceKind(
        group: "apiextensions.k8s.io", kind: "CustomResourceDefinition", plural: "customresourcedefinitions",
        shortNames: ["crd", "crds"], categories: ["api-extensions"], isNamespaced: false, hasStatusSubresource: true,
        countsGenerations: true)

    static let definitions = [customResourceDefinition]
}
