import Clock
package import HTTP

/// One gRPC call as its handler sees it. Confined to the call's task and its children, one reader and one writer.
package final class GRPCCall: @unchecked Sendable {
    package let request: Request
    /// Sent after the last message, with the status.
    package var trailingMetadata = HTTPFields()
    private var decoder: GRPCMessageDecoder
    private let answerEncoding: GRPCEncoding
    private let writer: (any BodyWriter)?

    init(request: Request, encoding: GRPCEncoding, messageBytesMax: Int, writer: (any BodyWriter)? = nil) {
        self.request = request
        self.writer = writer
        decoder = GRPCMessageDecoder(encoding: encoding, bytesMax: messageBytesMax)
        // A peer that compresses is answered in kind.
        answerEncoding = encoding
    }

    /// The request's fields: metadata beside gRPC's own.
    package var metadata: HTTPFields { request.fields }

    /// True once the client's deadline has passed.
    package var isPastDeadline: Bool { request.deadline.map { MonotonicTime.now >= $0 } ?? false }

    /// The next message of the client, or nil when it has sent its last. Waits as long as the call's deadline allows.
    ///
    /// Throws `GRPCError` for malformed or too large messages, `CancellationError` when the client has gone.
    package func receive() async throws -> [UInt8]? {
        while true {
            if let message = try decoder.next() { return message }
            guard let chunk = try await request.body.next() else {
                guard decoder.isAtBoundary else { throw GRPCError(.internal, "the last message is cut short") }
                return nil
            }
            decoder.append(chunk)
        }
    }

    /// Sends a message of a streaming call; waits while the client takes no more.
    package func send(_ message: [UInt8]) async throws {
        guard let writer else { preconditionFailure("a unary handler returns its message") }
        try await writer.write(frame(message))
    }

    func frame(_ message: [UInt8]) -> [UInt8] { GRPCCodec.frame(message, encoding: answerEncoding) }

    /// The only message of a unary call.
    func receiveOne() async throws -> [UInt8] {
        guard let message = try await receive() else {
            throw GRPCError(.internal, "a unary call carries one message; this one has none")
        }
        guard try await receive() == nil else {
            throw GRPCError(.internal, "a unary call carries one message; this one has more")
        }
        return message
    }
}
