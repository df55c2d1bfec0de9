import Bytes

/// A part of a file to send: `range` of the file open as `descriptor`, closed when the last reference goes.
package final class FileRegion: Sendable {
    package let descriptor: Int32
    package let range: Range<Int64>
    private let close: @Sendable (Int32) -> Void

    package init(descriptor: Int32, range: Range<Int64>, close: @escaping @Sendable (Int32) -> Void) {
        self.descriptor = descriptor
        self.range = range
        self.close = close
    }

    deinit { close(descriptor) }
}

/// Writes a streamed body: each call waits until the peer has room, so memory stays bounded.
///
/// Writes throw `CancellationError` when the peer has gone, which ends a watch or a followed log by itself.
package protocol BodyWriter: AnyObject, Sendable {
    /// Sends `bytes`; returns when they are in the connection's bounded buffer.
    func write(_ bytes: [UInt8]) async throws
    /// Sends part of a file, by `sendfile` where the transport allows it.
    func write(_ file: FileRegion) async throws
    /// Hands buffered bytes to the kernel now: for events that should not wait for more.
    func flush() async throws
    /// Fields to send after the body; ignored by HTTP/1.1 answers with a known length.
    func setTrailers(_ fields: HTTPFields)
}

/// What a bounded wait for an upgraded connection's peer came to.
package enum UpgradedInput: Sendable, Equatable {
    case bytes([UInt8])
    /// The peer has closed.
    case ended
    /// Nothing came in the time given; the connection is as it was.
    case silence
}

/// A connection after `101 Switching Protocols`: raw bytes both ways.
package protocol UpgradedConnection: AnyObject, Sendable {
    /// The next bytes, or nil when the peer has closed. Throws when it stays silent for the server's idle limit.
    func read() async throws -> [UInt8]?
    /// The next bytes, waiting for them at most so long.
    func read(withinMilliseconds milliseconds: UInt64) async throws -> UpgradedInput
    /// Sends `bytes` at once.
    func write(_ bytes: [UInt8]) async throws
}

/// The bytes of a response.
package enum ResponseBody: Sendable {
    case empty
    case bytes([UInt8])
    case file(FileRegion)
    /// Produced while it is sent; `length` is its exact size when known, else HTTP/1.1 uses chunked coding.
    case stream(length: Int?, @Sendable (any BodyWriter) async throws -> Void)
    /// Takes over the connection (HTTP/1.1 only); the status must be 101.
    case upgrade(@Sendable (any UpgradedConnection) async throws -> Void)
}

/// What a handler answers. The server adds `Date`, `Server`, framing and connection fields.
package struct Response: Sendable {
    package var status: HTTPStatus
    package var fields: HTTPFields
    package var body: ResponseBody
    /// Fields after the body, on HTTP/2 only; a streamed body names its own through its writer.
    package var trailers = HTTPFields()

    package init(_ status: HTTPStatus = .ok, fields: HTTPFields = HTTPFields(), body: ResponseBody = .empty) {
        self.status = status
        self.fields = fields
        self.body = body
    }

    /// A body held in memory with its media type.
    package init(_ status: HTTPStatus = .ok, contentType: String, _ bytes: [UInt8]) {
        var fields = HTTPFields()
        fields.append("Content-Type", contentType)
        self.init(status, fields: fields, body: .bytes(bytes))
    }

    /// Plain UTF-8 text.
    package init(_ status: HTTPStatus = .ok, text: String) {
        self.init(status, contentType: "text/plain; charset=utf-8", Array(text.utf8))
    }
}

/// Turns a request into a response. Runs on the event loop of the request's connection; blocking work goes to a
/// `BlockingPool`.
package typealias Handler = @Sendable (Request) async throws -> Response
