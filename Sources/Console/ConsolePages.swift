package import HTTP

/// The tracking pages in front of a tracking server, on its own port: the same files as the console's, without a log-in
/// of their own, calling the server's own API.
package final class ConsolePages: Sendable {
    private let assets = ConsoleAssets()

    package init() {}

    /// Serves the pages at `/` and leaves every other path to `handler`.
    package func handler(inFrontOf handler: @escaping Handler) -> Handler {
        { request in
            if let response = try await self.response(to: request) { return response }
            return try await handler(request)
        }
    }

    private func response(to request: Request) async throws -> Response? {
        guard request.method == .get || request.method == .head else { return nil }
        let path = request.path
        var response: Response?
        if path == "/" {
            response = try await assets.response("index.html", to: request)
        } else if path.hasPrefix("/assets/") {
            response = try await assets.response(String(path.dropFirst("/assets/".count)), to: request)
        } else if path == "/console/session" {
            let answer = #"{"scope":"tracking","loggedIn":true,"needsLogIn":false,"parts":["tracking"]}"#
            response = Response(contentType: "application/json", Array(answer.utf8))
        }
        guard var response else { return nil }
        SecurityFields.append(to: &response)
        return response
    }
}
