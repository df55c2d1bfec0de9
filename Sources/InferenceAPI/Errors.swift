// The one place where refusals get their wire form: V2's `{"error": "…"}` with a status, or a gRPC status.

import Formats
package import HTTP
import Inference
package import Server

extension InferenceError {
    var status: HTTPStatus {
        switch code {
        case .notFound: .notFound
        case .invalid, .unsupported, .loadFailed: .badRequest
        case .overloaded, .timedOut, .unavailable: .serviceUnavailable
        case .failed: .internalServerError
        }
    }

    var grpcError: GRPCError {
        switch code {
        case .notFound: GRPCError(.notFound, message)
        case .invalid, .loadFailed: GRPCError(.invalidArgument, message)
        case .unsupported: GRPCError(.unimplemented, message)
        case .overloaded, .timedOut, .unavailable: GRPCError(.unavailable, message)
        case .failed: GRPCError(.internal, message)
        }
    }

    var response: Response {
        var response = ErrorBody.response(status, message)
        if code == .overloaded { response.fields.append("Retry-After", "1") }
        return response
    }
}

enum ErrorBody {
    static func response(_ status: HTTPStatus, _ message: String) -> Response {
        var writer = JSONWriter()
        writer.beginObject()
        writer.key("error")
        writer.string(message)
        writer.endObject()
        return Response(status, contentType: "application/json", writer.bytes)
    }
}

extension InferenceService {
    /// A fault of the transport in V2's form.
    package static func response(to fault: ServerFault) -> Response { ErrorBody.response(fault.status, fault.message) }
}
