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
        case .invalid, .notAnAPI: .badRequest
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
    /// True for a request that an S3 client signed; no page of the console sends one to its own port.
    static func isSignedForS3(_ request: Request) -> Bool {
        request.fields["Authorization"]?.hasPrefix("AWS") == true || request.query.contains("X-Amz-Signature=")
    }

    /// The same as Amazon's XML, which is what an S3 client can read and show.
    static func s3Response(_ error: ConsoleError) -> Response {
        var writer = XMLWriter()
        writer.begin("Error")
        writer.leaf("Code", "InvalidRequest")
        writer.leaf("Message", error.message)
        writer.end()
        return Response(error.status, contentType: "application/xml", writer.bytes)
    }

    /// The form of what the server answers by itself.
    package static func response(to fault: ServerFault) -> Response {
        var response = ConsoleError.response(fault.status, code: "ServerFault", fault.message)
        SecurityFields.append(to: &response)
        return response
    }
}
