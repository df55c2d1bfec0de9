package import HTTP

/// The bytes a request carries.
package enum ClientRequestBody: Sendable {
    case empty
    case bytes([UInt8])
    /// Part of a file, read on the client's thread in blocks of 64 KiB while it is sent.
    case file(FileRegion)
    /// Pulled from the calling task while it is sent; chunked when its length is not known. It is not sent again, so a
    /// kept connection that dies under it fails the request.
    case stream(RequestBody)
}

/// One request to another server.
package struct ClientRequest: Sendable {
    package var method: HTTPMethod
    /// An absolute `http` or `https` URL, already percent-encoded; sent as it is, `..` segments included.
    package var url: String
    /// Fields to send; `Host`, framing and `User-Agent` are added. An own `Host` replaces the URL's.
    package var fields: HTTPFields
    package var body: ClientRequestBody
    /// From the call to the last byte of the response body; nil has no such limit.
    package var timeoutMilliseconds: UInt64?
    /// With no byte moving in either direction, while neither side of ours is waiting; whole seconds, nil never ends.
    package var stallTimeoutSeconds: Int? = 60
    /// True follows up to 5 redirects to `http` or `https`.
    package var followsRedirects = false

    package init(
        _ method: HTTPMethod, _ url: String, fields: HTTPFields = HTTPFields(), body: ClientRequestBody = .empty,
        timeoutMilliseconds: UInt64? = nil
    ) {
        self.method = method
        self.url = url
        self.fields = fields
        self.body = body
        self.timeoutMilliseconds = timeoutMilliseconds
    }
}

/// What a server answered: the head, and a body that is pulled.
///
/// Dropping the response before its body has ended closes its connection.
package struct ClientResponse: Sendable {
    package let status: HTTPStatus
    package let fields: HTTPFields
    /// Throws `HTTPClientError` when the connection breaks. The transfer pauses while about 128 KiB wait to be read.
    package let body: RequestBody

    /// The whole body. Throws `BodyError.tooLarge` over `bytesMax`.
    package func collect(bytesMax: Int) async throws -> [UInt8] {
        try await body.collect(bytesMax: bytesMax)
    }
}
