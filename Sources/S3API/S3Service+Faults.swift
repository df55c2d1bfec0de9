import Bytes
package import HTTP
package import Server

extension S3Service {
    /// The S3 form of a fault that the server found before or instead of an operation.
    package static func response(to fault: ServerFault) -> Response {
        let code: String =
            switch fault.status {
            case .requestTimeout: "RequestTimeout"
            case .serviceUnavailable: "SlowDown"
            case .contentTooLarge: "EntityTooLarge"
            case .internalServerError: "InternalError"
            case .headerFieldsTooLarge, .uriTooLong: "RequestHeaderSectionTooLarge"
            default: "BadRequest"
            }
        var xml = S3XML()
        xml.begin("Error")
        xml.leaf("Code", code)
        xml.leaf("Message", fault.message)
        xml.end()
        return Response(fault.status, contentType: "application/xml", xml.bytes)
    }
}
