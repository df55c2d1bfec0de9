import HTTP
import HTTPClient

/// The console's way to the inference server: what is loaded, how it does, and loading and unloading.
struct InferenceProxy: Sendable {
    private let url: String
    private let bodyBytesMax: Int
    private let upstream = Upstream(name: "the inference server", command: "slipway infer")

    init(url: String, bodyBytesMax: Int) {
        self.url = url.hasSuffix("/") ? String(url.dropLast()) : url
        self.bodyBytesMax = bodyBytesMax
    }

    /// - Parameter path: `/v2/...`, percent-encoded.
    func forward(_ request: Request, path: Substring) async throws -> Response {
        guard Self.offers(request.method, try ProxyPath.decodeSegments(path)) else {
            throw ConsoleError(.notOffered, "The console does not offer this call of the inference server.")
        }
        var outgoing = ClientRequest(request.method, url + path)
        if request.method == .post {
            outgoing.fields.append("Content-Type", "application/json")
            outgoing.body = .bytes(try await request.body.collect(bytesMax: bodyBytesMax))
        }
        return try await upstream.forward(outgoing)
    }

    /// Reading is open; of what changes something, the repository's index, load and unload.
    static func offers(_ method: HTTPMethod, _ segments: [String]) -> Bool {
        guard segments.count >= 2, segments[0].isEmpty, segments[1] == "v2" else { return false }
        switch method {
        case .get, .head: return segments.count == 2 || ["models", "health"].contains(segments[2])
        case .post:
            guard segments.count > 3, segments[2] == "repository" else { return false }
            if segments.count == 4 { return segments[3] == "index" }
            return segments.count == 6 && segments[3] == "models" && ["load", "unload"].contains(segments[5])
        default: return false
        }
    }
}
