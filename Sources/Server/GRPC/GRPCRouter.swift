// gRPC over the server's HTTP/2: a call is a POST whose path names the method and whose content type is
// application/grpc. The status travels in the trailers. A call that fails before its first message is answered by a head alone
// ("trailers-only"), which any client takes.

import Bytes
import Clock
import EventLoop
package import HTTP
import Log

/// Finds the handler of a gRPC method. Built at start-up, then only read.
package struct GRPCRouter: Sendable {
    /// Answers a unary call.
    package typealias Unary = @Sendable (GRPCCall, [UInt8]) async throws -> [UInt8]
    /// Serves a call that streams in one direction or both, through `receive` and `send`.
    package typealias Streaming = @Sendable (GRPCCall) async throws -> Void

    private enum Method: Sendable {
        case unary(Unary)
        case streaming(Streaming)
    }

    private var methods: [String: Method] = [:]
    private let messageBytesMax: Int
    private let logger: Logger

    /// Gives a domain's error its status; nil leaves it to the router: INTERNAL, with the details in the log only.
    package var mapError: @Sendable (any Error) -> GRPCError? = { _ in nil }

    /// - Parameter messageBytesMax: bytes of one message of a client; over it RESOURCE_EXHAUSTED.
    package init(role: String, messageBytesMax: Int = ServerLimits().grpcMessageBytesMax) {
        self.messageBytesMax = messageBytesMax
        logger = Logger(role: role)
    }

    /// Adds a unary method; `path` is `/package.Service/Method`.
    package mutating func unary(_ path: String, _ handler: @escaping Unary) { add(path, .unary(handler)) }

    /// Adds a method that streams requests, answers, or both.
    package mutating func streaming(_ path: String, _ handler: @escaping Streaming) { add(path, .streaming(handler)) }

    private mutating func add(_ path: String, _ method: Method) {
        precondition(
            path.hasPrefix("/") && path.pieces(by: "/").count == 2, "\(path) is not /package.Service/Method")
        precondition(methods.updateValue(method, forKey: path) == nil, "method \(path) is there twice")
    }

    /// A handler that serves gRPC calls and gives every other request to `fallback`.
    package func handler(fallback: @escaping Handler) -> Handler {
        { request in
            guard request.fields.value(of: "content-type", hasPrefix: "application/grpc") else {
                return try await fallback(request)
            }
            return try await respond(to: request)
        }
    }

    private func respond(to request: Request) async throws -> Response {
        guard request.head.version == .http2 else {
            return Response(.versionNotSupported, text: "gRPC is spoken over HTTP/2 only\n")
        }
        guard request.method == .post else { return Response(.methodNotAllowed, text: "a gRPC call is a POST\n") }
        do {
            guard let method = methods[request.head.target] else {
                throw GRPCError(.unimplemented, "there is no method \(request.head.target)")
            }
            if let text = request.fields["grpc-timeout"] {
                guard let timeout = GRPCCodec.timeoutNanoseconds(text) else {
                    throw GRPCError(.invalidArgument, "grpc-timeout \(text) is malformed")
                }
                request.deadline = MonotonicTime(nanoseconds: MonotonicTime.now.nanoseconds + timeout)
            }
            let encoding = try GRPCEncoding(field: request.fields["grpc-encoding"])
            switch method {
            case .unary(let handler): return try await answerUnary(request, encoding, handler)
            case .streaming(let handler): return stream(request, encoding, handler)
            }
        } catch {
            return Self.failure(status(of: error, request))
        }
    }

    private func answerUnary(_ request: Request, _ encoding: GRPCEncoding, _ handler: Unary) async throws -> Response {
        let call = GRPCCall(request: request, encoding: encoding, messageBytesMax: messageBytesMax)
        let answer: [UInt8]
        do {
            answer = try await handler(call, try await call.receiveOne())
        } catch {
            var response = Self.failure(status(of: error, request))
            for (name, value) in call.trailingMetadata.all { response.fields.append(name, value) }
            return response
        }
        var response = Response(
            .ok, fields: encoding == .gzip ? Self.headGzip : Self.head, body: .bytes(call.frame(answer)))
        response.trailers = Self.trailersOK
        for (name, value) in call.trailingMetadata.all { response.trailers.append(name, value) }
        return response
    }

    private func stream(_ request: Request, _ encoding: GRPCEncoding, _ handler: @escaping Streaming) -> Response {
        request.mayIdle = true
        return Response(
            .ok, fields: encoding == .gzip ? Self.headGzip : Self.head,
            body: .stream(length: nil) { writer in
                let call = GRPCCall(
                    request: request, encoding: encoding, messageBytesMax: messageBytesMax, writer: writer)
                var trailers = Self.trailersOK
                do {
                    // The head goes out before the first message: a client may wait for it.
                    try await writer.flush()
                    try await handler(call)
                } catch {
                    trailers = Self.trailers(status(of: error, request))
                }
                for (name, value) in call.trailingMetadata.all { trailers.append(name, value) }
                writer.setTrailers(trailers)
            })
    }

    /// The status an error becomes.
    private func status(of error: any Error, _ request: Request) -> GRPCError {
        if let error = error as? GRPCError { return error }
        if let mapped = mapError(error) { return mapped }
        switch error {
        case is CancellationError:
            let isLate = request.deadline.map { MonotonicTime.now >= $0 } ?? false
            return isLate
                ? GRPCError(.deadlineExceeded, "the call's deadline has passed")
                : GRPCError(.cancelled, "the call was cancelled")
        case BodyError.tooLarge(let bytesMax):
            return GRPCError(.resourceExhausted, "the request is over the limit of \(bytesMax) bytes")
        case BodyError.timeout: return GRPCError(.deadlineExceeded, "the request's message did not arrive in time")
        case is PoolFullError: return GRPCError(.unavailable, "too much work is waiting; try again")
        default:
            logger.error("call failed", [("id", request.id), ("method", request.head.target), ("error", "\(error)")])
            return GRPCError(.internal, "internal error; the log holds the details under id \(request.id)")
        }
    }

    // MARK: Wire forms

    private static let head: HTTPFields = ["content-type": "application/grpc"]
    private static let headGzip: HTTPFields = ["content-type": "application/grpc", "grpc-encoding": "gzip"]
    private static let trailersOK: HTTPFields = ["grpc-status": "0"]

    private static func trailers(_ error: GRPCError) -> HTTPFields {
        var fields: HTTPFields = ["grpc-status": "\(error.code.rawValue)"]
        fields.append("grpc-message", GRPCCodec.encodeMessage(error.message))
        if error.code == .unimplemented { fields.append("grpc-accept-encoding", "identity,gzip") }
        return fields
    }

    private static func failure(_ error: GRPCError) -> Response {
        var fields = head
        for (name, value) in trailers(error).all { fields.append(name, value) }
        return Response(.ok, fields: fields)
    }
}
