// The ingress: one port, and the Host of a request says which InferenceService it is for. Bodies stream both ways, so a
// tensor of any size costs no more than the connection's buffers.

import Bytes
package import Cluster
import Formats
package import HTTP
import HTTPClient
import Serving

/// Sends requests on to the predictors of InferenceServices.
package struct IngressService: Sendable {
    private let store: ResourceStore
    private let domain = ServingNames.domain
    private let client = HTTPClient.shared

    package init(store: ResourceStore) { self.store = store }

    /// The handler of the ingress port.
    package var handler: Handler { { request in try await self.respond(to: request) } }

    private enum Target {
        /// `http://ADDRESS:PORT` of a predictor.
        case predictor(String)
        case refusal(HTTPStatus, String)
    }

    private func respond(to request: Request) async throws -> Response {
        let authority = request.fields["Host"] ?? ""
        if request.fields["Content-Type"]?.hasPrefix("application/grpc") == true {
            return Self.refusal(.notImplemented, "the ingress speaks HTTP; for gRPC ask the predictor's own port")
        }
        switch target(authority) {
        case .refusal(.notFound, let message) where Self.isKubernetes(request.path): return Self.wrongPort(message)
        case .refusal(let status, let message): return Self.refusal(status, message)
        case .predictor(let origin): return try await forward(request, authority, origin)
        }
    }

    /// kubectl without a configuration asks localhost:8080, which may be this port.
    private static func isKubernetes(_ path: Substring) -> Bool {
        ["/api", "/apis", "/version", "/openapi"].contains { path == $0 || path.hasPrefix($0 + "/") }
    }

    private static func wrongPort(_ message: String) -> Response {
        let text =
            "this is the ingress of InferenceServices, not the Kubernetes API (\(message)); for kubectl: "
            + "export KUBECONFIG=DATA/kubeconfig, as `slipway up` printed it"
        let status: JSON = [
            "kind": "Status", "apiVersion": "v1", "metadata": [:], "status": "Failure", "message": .string(text),
            "reason": "BadRequest", "code": 400,
        ]
        var response = Response(contentType: "application/json", status.encoded)
        // kubectl drops the message of a 404 here.
        response.status = .badRequest
        return response
    }

    // MARK: Which service

    private func target(_ authority: String) -> Target {
        let host = String(authority.prefix { $0 != ":" }).lowercased()
        guard let service = service(host) else { return .refusal(.notFound, unknown(host)) }
        let name = "\(service.namespace)/\(service.name)"
        guard
            let revision = service.json[path: "status", "components", "predictor", "latestReadyRevision"]?.stringValue,
            let pod = store.find(ResourceKey(.pod, namespace: service.namespace, name: revision)),
            pod.status["phase"]?.stringValue == "Running",
            let origin = ServingNames.origin(of: pod)
        else {
            let ready = (service.status["conditions"]?.arrayValue ?? []).first { $0["type"]?.stringValue == "Ready" }
            let reason = ready?["message"]?.stringValue ?? "its server is starting"
            return .refusal(.serviceUnavailable, "InferenceService \(name) is not ready: \(reason)")
        }
        return .predictor(origin)
    }

    /// The service that `NAME.NAMESPACE.example.com` means; also with `-predictor` or `-predictor-default` behind the name,
    /// and with the cluster's own suffixes.
    private func service(_ host: String) -> Resource? {
        var parts = host.pieces(by: ".", omittingEmptySubsequences: false).map(String.init)
        for suffix in [domain, "svc.cluster.local", "svc"] where host.hasSuffix("." + suffix) {
            parts.removeLast(suffix.pieces(by: ".").count)
            break
        }
        guard parts.count == 2 else { return nil }
        for ending in ["", "-predictor-default", "-predictor"] where parts[0].hasSuffix(ending) {
            let name = String(parts[0].dropLast(ending.count))
            if let found = store.find(ResourceKey(.inferenceService, namespace: parts[1], name: name)) { return found }
        }
        return nil
    }

    private func unknown(_ host: String) -> String {
        let known = store.list(.inferenceService).items.prefix(20).map { "\($0.name).\($0.namespace).\(domain)" }
        let asked =
            host.isEmpty ? "the request names no Host" : "no InferenceService has the host \"\(host.prefix(253))\""
        let list = known.isEmpty ? "there is none yet" : "known are \(known.joined(separator: ", "))"
        return "\(asked); \(list)"
    }

    // MARK: Forwarding

    /// Fields that belong to one connection, and those that the client or server writes itself.
    private static let ownFields: Set<String> = [
        "connection", "keep-alive", "proxy-connection", "te", "trailer", "transfer-encoding", "upgrade", "host",
        "content-length", "expect", "proxy-authenticate", "proxy-authorization", "http2-settings", "date", "server",
    ]

    private func forward(_ request: Request, _ authority: String, _ origin: String) async throws -> Response {
        var fields = Self.copied(request.fields)
        fields.append("Host", authority)
        let peer = request.peer.prefix(upTo: request.peer.lastIndex(of: ":") ?? request.peer.endIndex)
        let before = request.fields["X-Forwarded-For"]
        fields.append("X-Forwarded-For", before.map { "\($0), \(peer)" } ?? String(peer))
        fields.append("X-Forwarded-Host", authority)
        fields.append("X-Forwarded-Proto", request.isTLS ? "https" : "http")
        fields.append("X-Request-Id", request.fields["X-Request-Id"] ?? request.id)
        var body = ClientRequestBody.empty
        if request.body.length != 0 {
            body = .stream(request.body)
            if let length = request.body.length { fields.append("Content-Length", "\(length)") }
        }
        var onward = ClientRequest(
            request.method, origin + request.head.target, fields: fields, body: body)
        // A model may compute for long.
        onward.stallTimeoutSeconds = 600
        let answer: ClientResponse
        do {
            answer = try await client.execute(onward)
        } catch let error as HTTPClientError {
            return Self.refusal(.badGateway, "the predictor did not answer: \(error.message)")
        }
        let length = answer.fields["Content-Length"].flatMap { Int($0) }
        let source = answer.body
        guard length != 0, request.method != .head, !answer.status.forbidsBody else {
            return Response(answer.status, fields: Self.copied(answer.fields))
        }
        return Response(
            answer.status, fields: Self.copied(answer.fields),
            body: .stream(length: length) { writer in try await Self.pump(source, writer) })
    }

    private static func pump(_ source: RequestBody, _ writer: any BodyWriter) async throws {
        while let chunk = try await source.next() {
            try await writer.write(chunk)
            try await writer.flush()
        }
    }

    private static func copied(_ fields: HTTPFields) -> HTTPFields {
        var copy = HTTPFields()
        let named = Set(
            (fields["Connection"] ?? "").pieces(by: ",").map { $0.lowercased().filter { $0 != " " } })
        for (name, value) in fields.all {
            let lower = name.lowercased()
            guard !ownFields.contains(lower), !named.contains(lower), !lower.hasPrefix("x-forwarded-"),
                lower != "x-request-id"
            else { continue }
            copy.append(name, value)
        }
        return copy
    }

    private static func refusal(_ status: HTTPStatus, _ message: String) -> Response {
        Response(status, contentType: "application/json", (["error": .string(message)] as JSON).encoded)
    }
}
