package import HTTP

/// A step around a handler: it may look at the request, answer in the handler's place, or change the answer. Request ids,
/// the access log, the counts and the limits stand before every router, in `Service`; what only one API wants (a log-in, a
/// check of where a request comes from) is a middleware of its router.
package typealias Middleware = @Sendable (_ request: Request, _ next: Handler) async throws -> Response
