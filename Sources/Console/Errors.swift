// The console's own errors as JSON. Errors of the servers behind it pass through as they are, in their protocol's form.

import Formats
package import HTTP
package import Server

extension ConsoleError {
    var status: HTTPStatus {
        switch code {
        case .notLoggedIn, .wrongCredentials: .unauthorized
        case .tooManyAttempts: .tooManyRequests
        case .forgeryGuard, .notOffered: .forbidden
        case .invalid: .badRequest
        case .tooLarge: .contentTooLarge
        case .lengthRequired: .lengthRequired
        case .notFound: .notFound
        case .unreachable: .badGateway
        }
    }

    var response: Response { Self.response(status, code: code.rawValue, message) }

    static func response(_ status: HTTPStatus, code: String, _ message: String) -> Response {
        let body: JSON = ["error": ["code": .string(code), "message": .string(message)]]
        return Response(status, contentType: "application/json", body.encoded)
    }
}

extension ConsoleService {
    /// The form of what the server answers by itself.
    package static func response(to fault: ServerFault) -> Response {
        var response = ConsoleError.response(fault.status, code: "ServerFault", fault.message)
        SecurityFields.append(to: &response)
        return response
    }
}
