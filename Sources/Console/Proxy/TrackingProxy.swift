import HTTP
import HTTPClient

/// The console's way to the tracking server: the same paths as on that server's own port, so that its pages work in
/// both places. The calls that log data are left to clients of the API.
struct TrackingProxy: Sendable {
    private let url: String
    private let bodyBytesMax: Int
    private let upstream = Upstream(name: "the tracking server", command: "slipway track")

    init(url: String, bodyBytesMax: Int) {
        self.url = url.hasSuffix("/") ? String(url.dropLast()) : url
        self.bodyBytesMax = bodyBytesMax
    }

    /// True for the paths of the tracking server.
    static func offers(_ path: Substring) -> Bool {
        path.hasPrefix("/api/2.0/mlflow/") || path == "/get-artifact" || path == "/model-versions/get-artifact"
    }

    /// Groups of calls below /api/2.0/mlflow that pages use.
    private static let groups: Set<String> = [
        "experiments", "runs", "metrics", "artifacts", "registered-models", "model-versions", "logged-models",
    ]

    func forward(_ request: Request) async throws -> Response {
        let segments = try ProxyPath.decodeSegments(request.path)
        if segments.count > 4, segments[1] == "api" {
            guard Self.groups.contains(segments[4]) else {
                throw ConsoleError(.notOffered, "The console does not offer this call of the tracking server.")
            }
        } else if request.method != .get && request.method != .head {
            throw ConsoleError(.notOffered, "Artifacts are read through the console, not written.")
        }
        var fields = HTTPFields()
        for name in ["Content-Type", "Range", "Accept"] {
            if let value = request.fields[name] { fields.append(name, value) }
        }
        var outgoing = ClientRequest(request.method, url + request.head.target, fields: fields)
        if request.method != .get, request.method != .head {
            outgoing.body = .bytes(try await request.body.collect(bytesMax: bodyBytesMax))
        }
        var response = try await upstream.forward(outgoing)
        if segments.count < 5 || segments.last == "files" {
            response.fields["Content-Security-Policy"] = SecurityFields.contentPolicy
        }
        return response
    }
}
