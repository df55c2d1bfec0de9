// The handler of a console. Files are for everybody; the session calls open and close log-ins; everything else needs a
// session, is held against the rules of one proxy, and goes to one server behind the console with what that server asks
// for: a signature for the store, a bearer token for the cluster.

import Formats
package import HTTP
import HTTPClient
import Log
package import Metrics

/// Serves the web console and stands between the browser and the other servers.
package final class ConsoleService: Sendable {
    let configuration: ConsoleConfiguration
    let sessions: SessionStore
    let throttle: LoginThrottle
    let objects: ObjectProxy
    let log = Logger(role: "console")
    private let assets = ConsoleAssets()
    private let tracking: TrackingProxy?
    private let inference: InferenceProxy?
    private let cluster: ClusterProxy?
    private let registry: MetricsRegistry?
    let metrics: ConsoleMetrics?

    /// - Parameter registry: rendered at `/metrics`; nil leaves that path out.
    package init(configuration: ConsoleConfiguration, metrics registry: MetricsRegistry? = nil) {
        self.configuration = configuration
        let sessions = SessionStore(limits: configuration.limits)
        self.sessions = sessions
        throttle = LoginThrottle(limits: configuration.limits)
        objects = ObjectProxy(configuration: configuration)
        let isWhole = configuration.scope == .everything
        let bodyBytesMax = configuration.limits.bodyBytesMax
        tracking = isWhole ? configuration.trackURL.map { TrackingProxy(url: $0, bodyBytesMax: bodyBytesMax) } : nil
        inference = isWhole ? configuration.inferURL.map { InferenceProxy(url: $0, bodyBytesMax: bodyBytesMax) } : nil
        cluster = isWhole ? configuration.kubeconfigPath.map { ClusterProxy(kubeconfigPath: $0) } : nil
        self.registry = registry
        metrics = registry.map { ConsoleMetrics($0, sessions: sessions) }
    }

    /// To be given to a server.
    package var handler: Handler {
        { request in try await self.respond(to: request) }
    }

    private func respond(to request: Request) async throws -> Response {
        var response: Response
        do {
            response = try await route(request)
        } catch let error as ConsoleError {
            response = error.response
        } catch let error as HTTPClientError {
            response = ConsoleError(.unreachable, error.message).response
        }
        SecurityFields.append(to: &response)
        return response
    }

    private func route(_ request: Request) async throws -> Response {
        let path = request.path
        if Self.isSignedForS3(request) { return Self.s3Response(.notAnAPI) }
        if path == "/" || path.hasPrefix("/assets/") { return try await page(request) }
        if path == "/health" { return Response(text: "OK\n") }
        if path == "/metrics", let registry {
            return Response(contentType: "text/plain; version=0.0.4; charset=utf-8", registry.render())
        }
        if path.hasPrefix("/console/") { return try await own(request) }
        let session = try authorize(request)
        if path.hasPrefix("/s3/") {
            return try await objects.forward(request, path: path.dropFirst(3), session.credential)
        }
        if path.hasPrefix("/infer/"), let inference {
            return try await inference.forward(request, path: path.dropFirst(6))
        }
        if path.hasPrefix("/cluster/"), let cluster {
            return try await cluster.forward(request, path: path.dropFirst(8))
        }
        if let tracking, TrackingProxy.offers(path) { return try await tracking.forward(request) }
        throw ConsoleError(.notFound, "The console has no such page.")
    }

    private func page(_ request: Request) async throws -> Response {
        guard request.method == .get || request.method == .head else { return Response(.methodNotAllowed) }
        let name = request.path == "/" ? "index.html" : String(request.path.dropFirst("/assets/".count))
        guard let response = try await assets.response(name, to: request) else {
            throw ConsoleError(.notFound, "The console has no file '\(name)'.")
        }
        return response
    }

    private func own(_ request: Request) async throws -> Response {
        switch (request.method, request.path) {
        case (.get, "/console/session"): return describeSession(request)
        case (.post, "/console/session"): return try await logIn(request)
        case (.delete, "/console/session"): return try logOut(request)
        case (.get, "/console/buckets"): return try await objects.buckets(try authorize(request).credential)
        case (.post, "/console/share"): return try await share(request)
        case (.get, "/console/overview"):
            _ = try authorize(request)
            return await overview(cluster: cluster)
        default: throw ConsoleError(.notFound, "The console has no such call.")
        }
    }

    /// The JSON object that `request` carries.
    func json(of request: Request) async throws -> JSON {
        let bytes = try await request.body.collect(bytesMax: configuration.limits.bodyBytesMax)
        guard let body = try? JSON.parse(bytes), body.objectValue != nil else {
            throw ConsoleError(.invalid, "The body must be a JSON object.")
        }
        return body
    }
}
