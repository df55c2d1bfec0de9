package import HTTP

/// Refuses what a web page of another origin makes a browser send to change something: without this, any page could change
/// a server on its reader's own machine. Programs send no `Origin`, so no client but a browser is concerned.
package struct CrossOriginGuard: Sendable {
    /// Whose pages may change a server.
    package enum Trust: Sendable {
        /// Its own: those of the scheme and the host that the request went to.
        case ownOrigin
        /// Those of the host that the request went to, whatever the scheme: TLS may have ended before this server.
        case ownHost
        /// Those of the hosts (with their ports, in lower case) that the closure is true for.
        case hosts(@Sendable (String) -> Bool)
    }

    private let trust: Trust

    package init(_ trust: Trust) { self.trust = trust }

    /// The origin of the page that sent `request`, when that page may not change this server; nil when all is well.
    package func refusedOrigin(of request: Request) -> String? {
        guard let origin = request.fields["Origin"] else { return nil }
        switch request.method {
        case .get, .head, .options: return nil
        default: return isTrusted(origin.lowercased(), request) ? nil : origin
        }
    }

    /// An origin is a scheme, `://` and what `Host` holds; `null` is nobody's (RFC 6454).
    private func isTrusted(_ origin: String, _ request: Request) -> Bool {
        guard let mark = origin.firstRange(of: "://") else { return false }
        let host = String(origin[mark.upperBound...])
        switch trust {
        case .hosts(let areTrusted): return areTrusted(host)
        case .ownHost: return host == request.fields["Host"]?.lowercased()
        case .ownOrigin:
            return host == request.fields["Host"]?.lowercased()
                && origin[..<mark.lowerBound] == (request.isTLS ? "https" : "http")
        }
    }

    /// The guard of an API without a log-in. `refusal` gives the protocol's form of 403.
    package static func middleware(refusal: @escaping @Sendable (String) -> Response) -> Middleware {
        let pages = CrossOriginGuard(.ownOrigin)
        return { request, next in
            if let origin = pages.refusedOrigin(of: request) {
                return refusal("a page of \(origin) may not change this server: open the page that this server serves")
            }
            return try await next(request)
        }
    }
}
