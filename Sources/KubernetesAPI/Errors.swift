// Every failure reaches the client as a `Status` object. Here stands the one mapping from domain errors to it.

import Cluster
import Formats
import HTTP
import Server

/// A failure as Kubernetes clients know it.
struct StatusError: Error {
    let status: HTTPStatus
    /// The machine-readable word, such as `NotFound`.
    let reason: String
    let message: String
    var details = ClusterError.Details()

    init(
        _ status: HTTPStatus, _ reason: String, _ message: String,
        details: ClusterError.Details = ClusterError.Details()
    ) {
        self.status = status
        self.reason = reason
        self.message = message
        self.details = details
    }

    static func badRequest(_ message: String) -> StatusError { StatusError(.badRequest, "BadRequest", message) }

    /// A path that names nothing.
    static let noSuchPath = StatusError(.notFound, "NotFound", "the server could not find the requested resource")

    static let unauthorized = StatusError(
        .unauthorized, "Unauthorized",
        "Unauthorized: send the token of the kubeconfig that `slipway cluster` wrote (kubeconfig in its data folder)")

    static func methodNotAllowed(_ method: HTTPMethod) -> StatusError {
        StatusError(
            .methodNotAllowed, "MethodNotAllowed", "the server does not allow \(method.name) on the requested resource")
    }

    static func unsupportedMediaType(_ type: String, _ accepted: [String]) -> StatusError {
        StatusError(
            .unsupportedMediaType, "UnsupportedMediaType",
            "the body of the request was in an unknown format (\(type.prefix(100))) - accepted media types include: "
                + accepted.joined(separator: ", "))
    }

    init(_ error: ClusterError) {
        self.init(Self.status(error.code), Self.reason(error.code), error.message, details: error.details)
    }

    private static func status(_ code: ClusterError.Code) -> HTTPStatus {
        switch code {
        case .notFound: .notFound
        case .alreadyExists, .conflict: .conflict
        case .invalid: .unprocessableContent
        case .forbidden: .forbidden
        case .badRequest: .badRequest
        case .expired: .gone
        case .limitReached: .tooManyRequests
        case .unavailable: .serviceUnavailable
        }
    }

    private static func reason(_ code: ClusterError.Code) -> String {
        switch code {
        case .notFound: "NotFound"
        case .alreadyExists: "AlreadyExists"
        case .conflict: "Conflict"
        case .invalid: "Invalid"
        case .forbidden: "Forbidden"
        case .badRequest: "BadRequest"
        case .expired: "Expired"
        case .limitReached: "TooManyRequests"
        case .unavailable: "ServiceUnavailable"
        }
    }

    /// The `Status` object.
    var json: JSON {
        var object: JSON = [
            "kind": "Status", "apiVersion": "v1", "metadata": [:], "status": "Failure", "message": .string(message),
            "reason": .string(reason), "code": .int(Int64(status.code)),
        ]
        var shown = JSONObject()
        for (key, value) in [
            ("name", details.name), ("group", details.group), ("kind", details.kind), ("uid", details.uid),
        ] where !value.isEmpty {
            shown[key] = .string(value)
        }
        if !details.causes.isEmpty {
            shown["causes"] = .array(
                details.causes.map {
                    ["reason": .string($0.reason), "message": .string($0.message), "field": .string($0.field)]
                })
        }
        if status == .tooManyRequests || status == .serviceUnavailable { shown["retryAfterSeconds"] = 1 }
        if !shown.isEmpty { object["details"] = .object(shown) }
        return object
    }

    var response: Response {
        var response = Response(status, contentType: "application/json", json.encoded)
        if status == .unauthorized { response.fields.append("WWW-Authenticate", "Bearer realm=\"slipway\"") }
        if status == .tooManyRequests || status == .serviceUnavailable { response.fields.append("Retry-After", "1") }
        return response
    }

    /// A fault that the server found before or instead of a handler.
    static func response(to fault: ServerFault) -> Response {
        let reason =
            switch fault {
            case .bodyTooLarge: "RequestEntityTooLarge"
            case .overloaded: "TooManyRequests"
            case .unhandled: "InternalError"
            case .headTimeout, .bodyTimeout: "Timeout"
            default: "BadRequest"
            }
        return StatusError(fault.status, reason, fault.message).response
    }
}
