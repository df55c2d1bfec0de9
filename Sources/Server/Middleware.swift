package import HTTP

/// A step around a handler: it may look at the request, answer in the handler's place, or change the answer. Request ids,
/// the access log, the counts and the limits stand before every router, in `Service`; what only one API wants (a log-in, a
/// check of where a request comes from) is a middleware of its router.
package typealias Middleware = @Sendable (_ request: Request, _ next: Handler) async throws -> Response

/// Refuses what a web page of another origin makes a browser send to an API without a log-in: without this, any page could
/// change a server on its reader's own machine. Programs send no `Origin`, so no client but a browser is concerned.
package enum CrossOriginGuard {
    /// `refusal` gives the protocol's form of 403.
    package static func middleware(refusal: @escaping @Sendable (String) -> Response) -> Middleware {
        { request, next in
            if let origin = request.fields["Origin"], isUnsafe(request.method), !isSame(origin, as: request) {
                return refusal("a page of \(origin) may not change this server: open the page that this server serves")
            }
            return try await next(request)
        }
    }

    private static func isUnsafe(_ method: HTTPMethod) -> Bool {
        method != .get && method != .head && method != .options
    }

    /// An origin is a scheme, `://` and what `Host` holds (RFC 6454).
    private static func isSame(_ origin: String, as request: Request) -> Bool {
        guard let host = request.fields["Host"] else { return false }
        return origin.lowercased() == (request.isTLS ? "https://" : "http://") + host.lowercased()
    }
}
