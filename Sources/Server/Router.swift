// A trie over path segments. Literals win over `{name}`, `{name}` over a final `{name*}`, which takes the rest of the
// path. Segments are percent-decoded after splitting, so `%2F` never changes the route.

import Bytes
package import HTTP

/// Finds the handler of a request by method and path.
///
/// Routes are added at start-up; afterwards the router is only read, by every event loop.
package struct Router: Sendable {
    private final class Node: @unchecked Sendable {
        // Written only while `Router.add` runs, before the router is handed to a server.
        var literals: [Substring: Node] = [:]
        var parameter: (name: Substring, node: Node)?
        var rest: (name: Substring, handlers: [HTTPMethod: Handler])?
        var handlers: [HTTPMethod: Handler] = [:]
    }

    private let root = Node()
    private var middleware: [Middleware] = []

    /// Answers requests that match no path; 404 by default.
    package var notFound: Handler = { _ in Response(.notFound) }

    /// Answers requests whose path is known but not with this method; 405 by default. The allowed methods are given.
    package var methodNotAllowed: @Sendable (Request, [HTTPMethod]) async throws -> Response = { _, allowed in
        var response = Response(.methodNotAllowed)
        response.fields.append("Allow", allowed.map(\.name).sorted().joined(separator: ", "))
        return response
    }

    package init() {}

    /// Adds a step around every request of this router, unknown paths included; the first added is the outermost.
    package mutating func use(_ step: @escaping Middleware) { middleware.append(step) }

    /// Adds a route. `pattern` starts with `/`; segments are literals, `{name}`, or last `{name*}`.
    package func add(_ method: HTTPMethod, _ pattern: String, _ handler: @escaping Handler) {
        var node = root
        let segments = pattern.dropFirst().pieces(by: "/", omittingEmptySubsequences: false)
        for (index, segment) in segments.enumerated() {
            if segment.hasPrefix("{"), segment.hasSuffix("*}") {
                precondition(index == segments.count - 1, "{\(segment)} must be the last segment of \(pattern)")
                let name = segment.dropFirst().dropLast(2)
                node.rest = (name, (node.rest?.handlers ?? [:]).merging([method: handler]) { $1 })
                return
            }
            if segment.hasPrefix("{"), segment.hasSuffix("}") {
                let name = segment.dropFirst().dropLast()
                let next = node.parameter?.node ?? Node()
                precondition(node.parameter.map { $0.name == name } ?? true, "two names for one segment in \(pattern)")
                node.parameter = (name, next)
                node = next
            } else {
                let next = node.literals[segment] ?? Node()
                node.literals[segment] = next
                node = next
            }
        }
        precondition(node.handlers[method] == nil, "route \(method.name) \(pattern) is there twice")
        node.handlers[method] = handler
    }

    package func get(_ pattern: String, _ handler: @escaping Handler) { add(.get, pattern, handler) }
    package func put(_ pattern: String, _ handler: @escaping Handler) { add(.put, pattern, handler) }
    package func post(_ pattern: String, _ handler: @escaping Handler) { add(.post, pattern, handler) }
    package func patch(_ pattern: String, _ handler: @escaping Handler) { add(.patch, pattern, handler) }
    package func delete(_ pattern: String, _ handler: @escaping Handler) { add(.delete, pattern, handler) }

    /// Routes `request` through the middleware: HEAD falls back to the GET handler (the connection leaves the body out).
    package func respond(to request: Request) async throws -> Response { try await pass(request, step: 0) }

    private func pass(_ request: Request, step: Int) async throws -> Response {
        guard step < middleware.count else { return try await route(request) }
        return try await middleware[step](request) { try await self.pass($0, step: step + 1) }
    }

    private func route(_ request: Request) async throws -> Response {
        let segments = request.path.dropFirst().pieces(by: "/", omittingEmptySubsequences: false)
        guard let handlers = match(root, segments[...], request) else { return try await notFound(request) }
        if let handler = handlers[request.method] ?? (request.method == .head ? handlers[.get] : nil) {
            return try await handler(request)
        }
        return try await methodNotAllowed(request, Array(handlers.keys))
    }

    private func match(_ node: Node, _ segments: ArraySlice<Substring>, _ request: Request) -> [HTTPMethod: Handler]? {
        guard let segment = segments.first else { return node.handlers.isEmpty ? nil : node.handlers }
        if let next = node.literals[segment], let found = match(next, segments.dropFirst(), request) { return found }
        if let (name, next) = node.parameter, !segment.isEmpty, let value = PercentCoding.decode(segment) {
            let mark = request.parameters.count
            request.parameters.append((name, value))
            if let found = match(next, segments.dropFirst(), request) { return found }
            request.parameters.removeSubrange(mark...)
        }
        if let (name, handlers) = node.rest, let value = PercentCoding.decode(segments.joined(separator: "/")) {
            request.parameters.append((name, value))
            return handlers
        }
        return nil
    }
}
