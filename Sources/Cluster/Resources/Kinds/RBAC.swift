extension ResourceKind {
    private static func access(_ kind: String, _ plural: String, isNamespaced: Bool) -> ResourceKind {
        ResourceKind(
            group: "rbac.authorization.k8s.io", kind: kind, plural: plural, isNamespaced: isNamespaced,
            nameRule: .pathSegment)
    }

    package static let role = access("Role", "roles", isNamespaced: true)
    package static let roleBinding = access("RoleBinding", "rolebindings", isNamespaced: true)
    package static let clusterRole = access("ClusterRole", "clusterroles", isNamespaced: false)
    package static let clusterRoleBinding = access("ClusterRoleBinding", "clusterrolebindings", isNamespaced: false)

    static let accessControl = [role, roleBinding, clusterRole, clusterRoleBinding]
}
