// The documents that clients read before they do anything: health, version, discovery in two forms, OpenAPI in two
// versions. All are made once at start-up from the table of kinds.

import Bytes
import Cluster
import Digests
import Formats
import HTTP

/// Fixed answers by path.
struct APIDocuments: Sendable {
    private let version: [UInt8]
    private let discovery: DiscoveryDocuments
    private let openAPI: OpenAPIDocuments

    init(kinds: [ResourceKind], build: String) {
        let object: JSON = [
            "major": "1", "minor": "32", "gitVersion": .string(KubernetesAPI.kubernetesVersion),
            "gitCommit": .string(build),
            "gitTreeState": "clean", "buildDate": "1970-01-01T00:00:00Z", "goVersion": "none", "compiler": "swiftc",
            "platform": "linux/amd64",
        ]
        version = object.encoded
        discovery = DiscoveryDocuments(groups: APIGroup.served(kinds: kinds))
        openAPI = OpenAPIDocuments(kinds: kinds)
    }

    /// What anybody may read: health and version.
    func withoutAuthentication(_ request: Request, _ segments: [String]) -> Response? {
        guard request.method == .get || request.method == .head else { return nil }
        switch segments.first {
        case "healthz", "livez", "readyz": return Response(text: "ok")
        case "version" where segments.count == 1: return Response(contentType: "application/json", version)
        default: return nil
        }
    }

    /// Discovery and OpenAPI; nil when `segments` name neither.
    func response(to request: Request, _ segments: [String]) throws(StatusError) -> Response? {
        guard request.method == .get || request.method == .head else { return nil }
        switch segments.first {
        case "api" where segments.count <= 2, "apis" where segments.count <= 3:
            return try discovery.response(segments, accept: request.fields.values("Accept").joined(separator: ","))
        case "openapi": return try openAPI.response(segments)
        case nil:
            let paths: JSON = [
                "paths": [
                    "/api", "/apis", "/healthz", "/livez", "/metrics", "/openapi/v2", "/openapi/v3", "/readyz",
                    "/version",
                ]
            ]
            return Response(contentType: "application/json", paths.encoded)
        default: return nil
        }
    }
}
