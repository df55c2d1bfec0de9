// Discovery. Newer clients ask for everything at once (aggregated, v2 or v2beta1), older ones and the Python dynamic
// client walk the groups.

import Bytes
import Digests
import Formats
import HTTP

/// Answers /api, /api/v1, /apis, /apis/GROUP, /apis/GROUP/VERSION.
struct DiscoveryDocuments: Sendable {
    private let groups: [APIGroup]

    init(groups: [APIGroup]) { self.groups = groups }

    func response(_ segments: [String], accept: String) throws(StatusError) -> Response {
        let isCore = segments[0] == "api"
        if segments.count == 1 {
            if let version = Self.aggregatedVersion(accept) { return aggregated(isCore: isCore, version) }
            return Response(contentType: "application/json", (isCore ? coreVersions : groupList).encoded)
        }
        if isCore {
            guard let core = groups.first(where: { $0.name.isEmpty && $0.version == segments[1] }) else {
                throw .noSuchPath
            }
            return Response(contentType: "application/json", Self.resourceList(core).encoded)
        }
        let versions = groups.filter { !$0.name.isEmpty && $0.name == segments[1] }
        guard !versions.isEmpty else { throw .noSuchPath }
        if segments.count == 2 {
            var object = Self.entry(versions)
            object["kind"] = "APIGroup"
            object["apiVersion"] = "v1"
            return Response(contentType: "application/json", object.encoded)
        }
        guard let group = versions.first(where: { $0.version == segments[2] }) else { throw .noSuchPath }
        return Response(contentType: "application/json", Self.resourceList(group).encoded)
    }

    // MARK: Aggregated

    /// The version of aggregated discovery that a client asks for first; nil for the plain form.
    private static func aggregatedVersion(_ accept: String) -> String? {
        for range in accept.pieces(by: ",") where range.contains("as=APIGroupDiscoveryList") {
            if range.contains("v=v2beta1") { return "v2beta1" }
            if range.contains("v=v2") { return "v2" }
        }
        return nil
    }

    private func aggregated(isCore: Bool, _ version: String) -> Response {
        let items = byName.filter { $0[0].name.isEmpty == isCore }.map(Self.item)
        let object: JSON = [
            "kind": "APIGroupDiscoveryList", "apiVersion": .string("apidiscovery.k8s.io/\(version)"), "metadata": [:],
            "items": .array(items),
        ]
        let body = object.encoded
        var response = Response(
            contentType: "application/json;g=apidiscovery.k8s.io;v=\(version);as=APIGroupDiscoveryList", body)
        response.fields.append("Vary", "Accept")
        response.fields.append("ETag", "\"\(Hex.encode(SHA256.hash(body)).prefix(32).uppercased())\"")
        return response
    }

    /// The versions of each group together, groups and versions in their order.
    private var byName: [[APIGroup]] {
        var names: [String] = []
        for group in groups where !names.contains(group.name) { names.append(group.name) }
        return names.map { name in groups.filter { $0.name == name } }
    }

    private static func item(_ versions: [APIGroup]) -> JSON {
        let name = versions[0].name
        return [
            "metadata": name.isEmpty
                ? ["creationTimestamp": .null] : ["name": .string(name), "creationTimestamp": .null],
            "versions": .array(
                versions.map { group in
                    [
                        "version": .string(group.version), "freshness": "Current",
                        "resources": .array(group.resources.map { resource(of: group, $0) }),
                    ]
                }),
        ]
    }

    private static func resource(of group: APIGroup, _ resource: APIResource) -> JSON {
        var object: JSON = [
            "resource": .string(resource.plural),
            "responseKind": responseKind(group.name, group.version, resource.kind),
            "scope": resource.isNamespaced ? "Namespaced" : "Cluster", "singularResource": .string(resource.singular),
            "verbs": strings(resource.verbs),
        ]
        if !resource.shortNames.isEmpty { object["shortNames"] = strings(resource.shortNames) }
        if !resource.categories.isEmpty { object["categories"] = strings(resource.categories) }
        if !resource.subresources.isEmpty {
            object["subresources"] = .array(
                resource.subresources.map {
                    [
                        "subresource": .string($0.name), "responseKind": responseKind($0.group, $0.version, $0.kind),
                        "verbs": strings($0.verbs),
                    ]
                })
        }
        return object
    }

    private static func responseKind(_ group: String, _ version: String, _ kind: String) -> JSON {
        ["group": .string(group), "version": .string(version), "kind": .string(kind)]
    }

    private static func strings(_ texts: [String]) -> JSON { .array(texts.map(JSON.string)) }

    // MARK: Plain

    private var coreVersions: JSON {
        [
            "kind": "APIVersions", "versions": ["v1"],
            "serverAddressByClientCIDRs": [["clientCIDR": "0.0.0.0/0", "serverAddress": ""]],
        ]
    }

    private var groupList: JSON {
        [
            "kind": "APIGroupList", "apiVersion": "v1",
            "groups": .array(byName.filter { !$0[0].name.isEmpty }.map(Self.entry)),
        ]
    }

    private static func entry(_ groups: [APIGroup]) -> JSON {
        let versions: [JSON] = groups.map {
            ["groupVersion": .string($0.groupVersion), "version": .string($0.version)]
        }
        return ["name": .string(groups[0].name), "versions": .array(versions), "preferredVersion": versions[0]]
    }

    private static func resourceList(_ group: APIGroup) -> JSON {
        var resources: [JSON] = []
        for resource in group.resources {
            var object: JSON = [
                "name": .string(resource.plural), "singularName": .string(resource.singular),
                "namespaced": .bool(resource.isNamespaced), "kind": .string(resource.kind),
                "verbs": strings(resource.verbs),
            ]
            if !resource.shortNames.isEmpty { object["shortNames"] = strings(resource.shortNames) }
            if !resource.categories.isEmpty { object["categories"] = strings(resource.categories) }
            resources.append(object)
            for subresource in resource.subresources {
                resources.append([
                    "name": .string("\(resource.plural)/\(subresource.name)"), "singularName": "",
                    "namespaced": .bool(resource.isNamespaced), "kind": .string(subresource.kind),
                    "verbs": strings(subresource.verbs),
                ])
            }
        }
        return [
            "kind": "APIResourceList", "apiVersion": "v1", "groupVersion": .string(group.groupVersion),
            "resources": .array(resources),
        ]
    }
}
