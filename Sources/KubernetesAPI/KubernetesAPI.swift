// The Kubernetes API: one handler for every path. Authentication comes first, then fixed documents (discovery, OpenAPI,
// health), then the resources, whose kinds are data.

import Bytes
package import Cluster
import Formats
package import HTTP
package import Metrics
package import Server

/// Serves the objects of a store to kubectl and its kin.
package final class KubernetesAPI: Sendable {
    let store: ResourceStore
    let logs: (any PodLogSource)?
    let sessions: PodSessions?
    let metrics: MetricsRegistry
    private let authenticator: TokenAuthenticator
    private let documents: APIDocuments
    let counts = RequestCounts()

    /// - Parameters:
    ///   - tokens: bearer tokens and the user each stands for; none admits everybody (plain HTTP on loopback).
    ///   - logs: where pods' logs are read; nil answers that there are none.
    ///   - sessions: runs commands in pods; nil answers that none run.
    ///   - build: the build's version, shown after the Kubernetes version.
    package init(
        store: ResourceStore, tokens: [(token: String, user: String)], logs: (any PodLogSource)? = nil,
        sessions: PodSessions? = nil, metrics: MetricsRegistry = MetricsRegistry(), build: String = "dev"
    ) {
        self.store = store
        self.logs = logs
        self.sessions = sessions
        self.metrics = metrics
        authenticator = TokenAuthenticator(tokens)
        documents = APIDocuments(kinds: store.kinds, build: build)
        Self.register(counts, store, in: metrics)
    }

    /// The version reported to clients, such as `v1.32.0+slipway`.
    package static let kubernetesVersion = "v1.32.0+slipway"

    /// Gives a fault that the server found by itself the form of a `Status`.
    package static func faultResponse(_ fault: ServerFault) -> Response { StatusError.response(to: fault) }

    /// Answers one request.
    package var handler: Handler { { request in try await self.respond(to: request) } }

    func respond(to request: Request) async throws -> Response {
        let response: Response
        do {
            response = try await answer(request)
        } catch let error as StatusError {
            response = error.response
        } catch let error as ClusterError {
            response = StatusError(error).response
        }
        count(request, response)
        return response
    }

    private func answer(_ request: Request) async throws -> Response {
        let segments = try Self.segments(of: request.path)
        if let open = documents.withoutAuthentication(request, segments) { return open }
        guard let user = authenticator.user(of: request) else { throw StatusError.unauthorized }
        request.principal = user
        if segments == ["metrics"] {
            return Response(contentType: "text/plain; version=0.0.4; charset=utf-8", metrics.render())
        }
        if let document = try documents.response(to: request, segments) { return document }
        guard let path = ResourcePath(segments) else { throw StatusError.noSuchPath }
        if let review = try await respondToReview(request, path, user: user) { return review }
        guard let kind = path.kind(among: store.kinds), path.namespace == nil || kind.isNamespaced else {
            throw StatusError.noSuchPath
        }
        return try await respond(to: request, path, kind)
    }

    private func respond(to request: Request, _ path: ResourcePath, _ kind: ResourceKind) async throws -> Response {
        let options = RequestOptions(request)
        if path.name == nil {
            switch request.method {
            case .get, .head:
                return try options.flag("watch")
                    ? try watch(request, path, kind, options) : try list(request, path, kind, options)
            case .post: return try await create(request, path, kind, options)
            case .delete: return try await deleteCollection(request, path, kind, options)
            default: throw StatusError.methodNotAllowed(request.method)
            }
        }
        let key = ResourceKey(kind, namespace: path.namespace ?? "", name: path.name ?? "")
        switch path.subresource {
        case "": break
        case "status" where kind.hasStatusSubresource: break
        case "finalize" where kind == .namespace: break
        case "log" where kind == .pod && request.method == .get: return try await podLog(request, key, options)
        case "scale" where kind.isScalable: return try await scale(request, key, options)
        case "exec" where kind == .pod: return try await exec(request, key, options)
        case "portforward" where kind == .pod: return try portForward(request, key)
        case "attach" where kind == .pod, "proxy" where kind == .pod:
            throw Self.refusedSubresource(path.subresource, key)
        default: throw StatusError.noSuchPath
        }
        switch request.method {
        case .get, .head: return try get(request, key, options)
        case .put: return try await replace(request, key, path.subresource, options)
        case .patch: return try await patch(request, key, path.subresource, options)
        case .delete where path.subresource.isEmpty: return try await delete(request, key, options)
        default: throw StatusError.methodNotAllowed(request.method)
        }
    }

    /// The decoded segments of a path; refuses broken escapes and a `%2F` that would make two segments of one.
    private static func segments(of path: Substring) throws(StatusError) -> [String] {
        var segments: [String] = []
        for part in path.dropFirst().pieces(by: "/") {
            guard let segment = PercentCoding.decode(part), !segment.holds("/") else {
                throw .badRequest("the path holds a segment that cannot be decoded")
            }
            segments.append(segment)
        }
        return segments
    }
}
