// Kubernetes' paths: /api/v1/..., /apis/GROUP/VERSION/..., with an optional namespace, name and subresource. Parsed by
// hand because the kinds are data, not routes.

import Bytes
import Cluster

/// The resource that a path names.
struct ResourcePath: Equatable {
    var group: String
    var version: String
    /// The plural name; never empty.
    var resource: String
    /// Nil when the path names none: a cluster-scoped kind, or all namespaces.
    var namespace: String?
    /// Nil for a collection.
    var name: String?
    /// Empty for the object itself.
    var subresource = ""

    /// Nil when `segments`, percent-decoded, are none of these paths.
    init?(_ segments: [String]) {
        var rest = segments[...]
        switch rest.popFirst() {
        case "api": group = ""
        case "apis":
            guard let group = rest.popFirst() else { return nil }
            self.group = group
        default: return nil
        }
        guard let version = rest.popFirst(), let first = rest.first else { return nil }
        self.version = version
        // /namespaces/NS/RESOURCE..., but /namespaces/NS itself, and its subresources, are the namespace's own.
        if first == "namespaces", rest.count >= 3,
            !(rest.count == 3 && Self.namespaceSubresources.contains(segments[segments.count - 1]))
        {
            namespace = rest[rest.index(after: rest.startIndex)]
            rest = rest.dropFirst(2)
        }
        guard let resource = rest.popFirst() else { return nil }
        self.resource = resource
        name = rest.popFirst()
        if let subresource = rest.popFirst() { self.subresource = subresource }
        guard rest.isEmpty, !segments.contains("") else { return nil }
    }

    private static let namespaceSubresources: Set<String> = ["status", "finalize"]

    /// The kind served under this path, or nil.
    func kind(among kinds: [ResourceKind]) -> ResourceKind? {
        kinds.first { $0.group == group && $0.version == version && $0.plural == resource }
    }
}
