// The one place where reasons become MLflow's error codes, statuses and bodies.

import Formats
package import HTTP
package import Server
import Tracking

/// An answer of MLflow's error form: `{"error_code": ..., "message": ...}`.
struct MLflowError: Error {
    let status: HTTPStatus
    let code: String
    let message: String

    static func invalid(_ message: String) -> MLflowError {
        MLflowError(status: .badRequest, code: "INVALID_PARAMETER_VALUE", message: message)
    }

    static func badRequest(_ message: String) -> MLflowError {
        MLflowError(status: .badRequest, code: "BAD_REQUEST", message: message)
    }

    static func missing(_ message: String) -> MLflowError {
        MLflowError(status: .notFound, code: "RESOURCE_DOES_NOT_EXIST", message: message)
    }

    static func forbidden(_ message: String) -> MLflowError {
        MLflowError(status: .forbidden, code: "PERMISSION_DENIED", message: message)
    }

    /// A part of the protocol that this release leaves out.
    static func unsupported(_ feature: String) -> MLflowError {
        MLflowError(
            status: .notImplemented, code: "NOT_IMPLEMENTED",
            message: "\(feature) not supported by this server; docs/compatibility/mlflow.md lists what is.")
    }

    /// 1.x clients fall back to an older path when they read this code.
    static func unknownEndpoint(_ request: Request, allowed: [HTTPMethod] = []) -> MLflowError {
        let path = String(request.path.prefix(200))
        guard allowed.isEmpty else {
            return MLflowError(
                status: .methodNotAllowed, code: "ENDPOINT_NOT_FOUND",
                message:
                    "No endpoint \(request.method.name) \(path): it takes \(allowed.map(\.name).sorted().joined(separator: ", "))."
            )
        }
        return MLflowError(
            status: .notFound, code: "ENDPOINT_NOT_FOUND", message: "No endpoint \(request.method.name) \(path).")
    }

    init(status: HTTPStatus, code: String, message: String) {
        self.status = status
        self.code = code
        self.message = message
    }

    init(_ error: TrackingError) {
        switch error.code {
        case .invalidParameterValue: (status, code) = (.badRequest, "INVALID_PARAMETER_VALUE")
        case .resourceDoesNotExist: (status, code) = (.notFound, "RESOURCE_DOES_NOT_EXIST")
        case .resourceAlreadyExists: (status, code) = (.badRequest, "RESOURCE_ALREADY_EXISTS")
        case .permissionDenied: (status, code) = (.forbidden, "PERMISSION_DENIED")
        case .notImplemented: (status, code) = (.notImplemented, "NOT_IMPLEMENTED")
        case .temporarilyUnavailable: (status, code) = (.serviceUnavailable, "TEMPORARILY_UNAVAILABLE")
        // No 5xx: clients repeat those by themselves, and a call that creates something would be stored twice.
        case .outcomeUnknown: (status, code) = (.conflict, "ABORTED")
        case .internalError: (status, code) = (.internalServerError, "INTERNAL_ERROR")
        }
        message =
            error.code == .internalError
            ? "Internal error: the server's log holds the details under this request's id." : error.message
    }

    var response: Response {
        var writer = JSONWriter()
        writer.beginObject()
        writer.key("error_code")
        writer.string(code)
        writer.key("message")
        writer.string(message)
        writer.endObject()
        return Response(status, contentType: "application/json", writer.bytes)
    }
}

extension MLflowService {
    /// The answer to a fault that the server itself found, such as a malformed head.
    package static func response(to fault: ServerFault) -> Response {
        let code: String =
            switch fault.status.code {
            case 503: "TEMPORARILY_UNAVAILABLE"
            case 500: "INTERNAL_ERROR"
            default: "BAD_REQUEST"
            }
        return MLflowError(status: fault.status, code: code, message: fault.message).response
    }
}
