// The one place where refusals get their wire form: `{"error": "…"}` with a status.

import Formats
package import HTTP
import Packs
package import Server

extension PackError {
    var status: HTTPStatus {
        switch code {
        case .invalid: .badRequest
        case .notFound: .notFound
        case .sourcesMissing: .conflict
        case .packInvalid: .unprocessableContent
        case .unconfigured: .badRequest
        case .storageFailed: .badGateway
        case .notLoaded, .overloaded, .unavailable: .serviceUnavailable
        case .timedOut: .gatewayTimeout
        case .failed: .internalServerError
        }
    }

    var response: Response {
        var response = ErrorBody.response(status, message)
        if status == .serviceUnavailable { response.fields.append("Retry-After", "1") }
        return response
    }
}

enum ErrorBody {
    static func response(_ status: HTTPStatus, _ message: String) -> Response {
        let body: JSON = ["error": .string(message)]
        return Response(status, contentType: "application/json", body.line)
    }
}

extension PackService {
    /// A fault of the transport in the same form.
    package static func response(to fault: ServerFault) -> Response { ErrorBody.response(fault.status, fault.message) }
}
