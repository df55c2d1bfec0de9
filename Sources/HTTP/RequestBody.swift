// A request body is pulled: nothing is read from the socket until the handler asks, so a slow handler closes the TCP
// (or HTTP/2) window by itself and no queue can grow. The connection supplies the source.

import Bytes

/// Where the bytes of a body come from: a connection, or memory in tests.
package protocol BodySource: AnyObject, Sendable {
    /// The next bytes, at most 256 KiB; nil at the end. Throws `BodyError`, or `CancellationError` when the peer left.
    func next() async throws -> [UInt8]?
    /// Fields after the last chunk; empty until the end is reached.
    var trailers: HTTPFields { get }
}

/// Why a body could not be read to its end.
package enum BodyError: Error, Equatable {
    /// More than the allowed number of bytes.
    case tooLarge(bytesMax: Int)
    /// The peer closed or reset before the end.
    case truncated
    /// Chunked coding was malformed.
    case malformed
    /// The peer sent too slowly.
    case timeout
}

/// A request's bytes, pulled once by its handler.
package final class RequestBody: @unchecked Sendable {
    // Confined to the handler task, as `Request` is.
    private let source: (any BodySource)?
    /// The declared length, or nil when the body is chunked or framed by HTTP/2.
    package let length: Int?

    package static let empty = RequestBody(source: nil, length: 0)

    package init(source: (any BodySource)?, length: Int?) {
        self.source = source
        self.length = length
    }

    /// A body held in memory.
    package convenience init(_ bytes: [UInt8]) {
        self.init(source: bytes.isEmpty ? nil : MemoryBody(bytes), length: bytes.count)
    }

    /// The next bytes (1 to 256 KiB), or nil at the end.
    package func next() async throws -> [UInt8]? {
        try await source?.next()
    }

    /// The whole body. Throws `BodyError.tooLarge` at once when the declared length is over `bytesMax`, and as soon as
    /// more than that has arrived otherwise.
    package func collect(bytesMax: Int) async throws -> [UInt8] {
        if let length, length > bytesMax { throw BodyError.tooLarge(bytesMax: bytesMax) }
        guard var all = try await next() else { return [] }
        if all.count > bytesMax { throw BodyError.tooLarge(bytesMax: bytesMax) }
        if let length { all.reserveCapacity(min(length, bytesMax)) }
        while let chunk = try await next() {
            guard all.count + chunk.count <= bytesMax else { throw BodyError.tooLarge(bytesMax: bytesMax) }
            all.append(contentsOf: chunk)
        }
        return all
    }

    /// Trailer fields; empty until `next()` has returned nil.
    package var trailers: HTTPFields { source?.trailers ?? HTTPFields() }
}

private final class MemoryBody: BodySource, @unchecked Sendable {
    // Confined to the handler task.
    private var bytes: [UInt8]?
    let trailers = HTTPFields()

    init(_ bytes: [UInt8]) { self.bytes = bytes }

    func next() async -> [UInt8]? {
        defer { bytes = nil }
        return bytes
    }
}
