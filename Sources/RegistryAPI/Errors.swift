// The one place where reasons become the codes, statuses and bodies of the OCI distribution specification.

import Formats
package import HTTP
import Objects
package import Server

/// An answer of the specification's error form: `{"errors": [{"code": ..., "message": ...}]}`.
struct RegistryError: Error, Sendable, Equatable {
    enum Code: String, Sendable {
        case blobUnknown = "BLOB_UNKNOWN"
        case blobUploadInvalid = "BLOB_UPLOAD_INVALID"
        case blobUploadUnknown = "BLOB_UPLOAD_UNKNOWN"
        case digestInvalid = "DIGEST_INVALID"
        case manifestBlobUnknown = "MANIFEST_BLOB_UNKNOWN"
        case manifestInvalid = "MANIFEST_INVALID"
        case manifestUnknown = "MANIFEST_UNKNOWN"
        case nameInvalid = "NAME_INVALID"
        case nameUnknown = "NAME_UNKNOWN"
        case sizeInvalid = "SIZE_INVALID"
        case unauthorized = "UNAUTHORIZED"
        case unsupported = "UNSUPPORTED"
        case tooManyRequests = "TOOMANYREQUESTS"
        case rangeInvalid = "RANGE_INVALID"
        case paginationInvalid = "PAGINATION_NUMBER_INVALID"
        case storageFull = "STORAGE_FULL"
        case unknown = "UNKNOWN"
    }

    let code: Code
    let message: String

    init(_ code: Code, _ message: String) {
        self.code = code
        self.message = message
    }

    static let noSuchPath = RegistryError(.nameUnknown, "nothing is served here; the registry's paths begin with /v2/")

    init(_ error: ObjectError) {
        switch error.code {
        case .full: self.init(.storageFull, error.message)
        case .busy: self.init(.tooManyRequests, error.message)
        case .tooLarge: self.init(.sizeInvalid, error.message)
        default: self.init(.unknown, "internal error; the log holds the details under this request's id")
        }
    }

    var status: HTTPStatus {
        switch code {
        case .blobUnknown, .blobUploadUnknown, .manifestUnknown, .nameUnknown: .notFound
        case .manifestBlobUnknown: .notFound
        case .blobUploadInvalid, .digestInvalid, .manifestInvalid, .nameInvalid, .paginationInvalid: .badRequest
        case .sizeInvalid: .contentTooLarge
        case .unauthorized: .unauthorized
        case .unsupported: .methodNotAllowed
        case .tooManyRequests: .tooManyRequests
        case .rangeInvalid: .rangeNotSatisfiable
        case .storageFull: .insufficientStorage
        case .unknown: .internalServerError
        }
    }

    var response: Response {
        let body: JSON = ["errors": [["code": .string(code.rawValue), "message": .string(message), "detail": [:]]]]
        var writer = JSONWriter()
        writer.value(body)
        var response = Response(status, contentType: "application/json", writer.bytes)
        if code == .unauthorized { response.fields.append("WWW-Authenticate", "Basic realm=\"slipway\"") }
        if code == .tooManyRequests { response.fields.append("Retry-After", "1") }
        return response
    }
}

extension RegistryService {
    /// Gives a fault that the server found by itself the specification's form.
    package static func response(to fault: ServerFault) -> Response {
        let code: RegistryError.Code =
            switch fault {
            case .bodyTooLarge: .sizeInvalid
            case .overloaded: .tooManyRequests
            case .unhandled: .unknown
            default: .blobUploadInvalid
            }
        var response = RegistryError(code, fault.message).response
        response.status = fault.status
        return response
    }
}
