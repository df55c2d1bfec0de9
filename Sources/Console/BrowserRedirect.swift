// A person who opens the store's own port in a browser sees the console instead of an XML error, as with MinIO. Programs
// are not concerned: only what calls itself Mozilla, carries no credentials and asks for one of a few pages is sent on.

package import HTTP
import Synchronization

/// Sends browsers from the port of an API to the console. Made before the API's server, told of the console after it.
package final class BrowserRedirect: Sendable {
    private let target = Mutex<(url: String?, port: Int, isTLS: Bool)?>(nil)

    package init() {}

    /// Begins to redirect.
    ///
    /// - Parameters:
    ///   - url: where the console is reached; nil uses the host by which the browser came, and `port`.
    ///   - isTLS: true when the console at `port` speaks TLS.
    package func point(to url: String?, port: Int, isTLS: Bool) {
        target.withLock { $0 = (url, port, isTLS) }
    }

    /// Answers what a browser asks, and leaves the rest to `handler`.
    package func handler(inFrontOf handler: @escaping Handler) -> Handler {
        { request in
            if let location = self.location(for: request) {
                var response = Response(HTTPStatus(307))
                response.fields.append("Location", location)
                response.fields.append("Cache-Control", "no-store")
                return response
            }
            return try await handler(request)
        }
    }

    /// Pages that a browser asks for and an S3 client without credentials does not need.
    private static let pages: Set<Substring> = ["/", "/login", "/favicon.ico"]

    private func location(for request: Request) -> String? {
        guard request.method == .get || request.method == .head, Self.pages.contains(request.path),
            request.query.isEmpty, !request.fields.contains("Authorization"),
            request.fields["User-Agent"]?.contains("Mozilla") == true, let target = target.withLock({ $0 })
        else { return nil }
        if let url = target.url { return url }
        guard let host = request.fields["Host"].flatMap({ ObjectProxy.hostName($0) }) else { return nil }
        return "\(target.isTLS ? "https" : "http")://\(host):\(target.port)/"
    }
}
