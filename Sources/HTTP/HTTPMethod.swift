/// A request method (RFC 9110 section 9). Methods outside the registered few keep their text.
package enum HTTPMethod: Sendable, Hashable {
    case get, head, put, post, delete, patch, options, connect, trace
    case other(String)

    package init(_ text: some StringProtocol) {
        switch text {
        case "GET": self = .get
        case "HEAD": self = .head
        case "PUT": self = .put
        case "POST": self = .post
        case "DELETE": self = .delete
        case "PATCH": self = .patch
        case "OPTIONS": self = .options
        case "CONNECT": self = .connect
        case "TRACE": self = .trace
        default: self = .other(String(text))
        }
    }

    package var name: String {
        switch self {
        case .get: "GET"
        case .head: "HEAD"
        case .put: "PUT"
        case .post: "POST"
        case .delete: "DELETE"
        case .patch: "PATCH"
        case .options: "OPTIONS"
        case .connect: "CONNECT"
        case .trace: "TRACE"
        case .other(let text): text
        }
    }
}
