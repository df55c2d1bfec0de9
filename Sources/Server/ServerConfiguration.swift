package import EventLoop
package import HTTP
package import Metrics

/// Every bound of a server, with its default. Over a bound the client gets a clear answer and nothing is half done.
package struct ServerLimits: Sendable {
    /// Bytes of a request line. Over it: 414.
    package var requestLineBytesMax = 16 * 1024
    /// Bytes of a whole request head. Over it: 431.
    package var headBytesMax = 64 * 1024
    /// Fields of a request head or trailer section. Over it: 431.
    package var fieldCountMax = 128
    /// From the first byte of a request, or the connection's start, to the end of its head. Over it: 408.
    package var headTimeoutMilliseconds: UInt64 = 10_000
    /// Between requests on a kept connection.
    package var idleTimeoutMilliseconds: UInt64 = 75_000
    /// Without a byte of a body that the handler waits for, or without room for a byte it sends. Over it: 408, close.
    package var bodyTimeoutMilliseconds: UInt64 = 20_000
    /// Mean pace of a body that takes longer than that timeout, over the time its handler waits for it. Under it: 408, close.
    package var bodyBytesPerSecondMin = 500
    /// After a last answer: how long what the peer still sends is read and dropped, so that the answer reaches it.
    package var lingerMilliseconds: UInt64 = 5_000
    /// A silent WebSocket is pinged after this time, and given up after as much again without a byte.
    package var webSocketPingMilliseconds: UInt64 = 30_000
    /// Without a byte from the peer on a connection that was upgraded to another protocol.
    package var upgradedIdleMilliseconds: UInt64 = 4 * 3600 * 1000
    /// TLS handshake.
    package var handshakeTimeoutMilliseconds: UInt64 = 10_000
    /// Open connections. Over it: not accepted until one closes.
    package var connectionCountMax = 8192
    /// Concurrent streams of one HTTP/2 connection.
    package var streamsPerConnectionMax = 128
    /// Receive window of an HTTP/2 stream: how much of a body may arrive before its handler reads.
    package var streamWindowBytes = 256 * 1024
    /// Receive window of an HTTP/2 connection.
    package var connectionWindowBytes = 4 * 1024 * 1024
    /// Streams that an HTTP/2 peer may reset at once, and how many more a second ("rapid reset"). Over it: GOAWAY.
    package var streamResetBurstMax = 200
    package var streamResetsPerSecondMax = 50
    /// Requests being handled at once. Over it: 503 with `Retry-After`.
    package var requestsInFlightMax = 4096
    /// Bytes of one gRPC message. Over it: RESOURCE_EXHAUSTED.
    package var grpcMessageBytesMax = 64 * 1024 * 1024
    /// How long a graceful shutdown waits for requests in flight before it cancels them.
    package var drainMilliseconds: UInt64 = 1_500

    package init() {}
}

/// A fault the server answers by itself, before or instead of a handler.
package enum ServerFault: Sendable, Equatable {
    case malformedRequest(String)
    case requestLineTooLong(bytesMax: Int)
    case headTooLarge(bytesMax: Int)
    case headTimeout
    /// The handler asked for a body and let `BodyError` through.
    case bodyTooLarge(bytesMax: Int)
    case bodyMalformed
    case bodyTimeout
    case overloaded
    case versionNotSupported
    case codingNotSupported
    /// The handler threw an error that no API mapped: a bug of ours.
    case unhandled

    package var status: HTTPStatus {
        switch self {
        case .malformedRequest: .badRequest
        case .requestLineTooLong: .uriTooLong
        case .headTooLarge: .headerFieldsTooLarge
        case .headTimeout: .requestTimeout
        case .bodyTooLarge: .contentTooLarge
        case .bodyMalformed: .badRequest
        case .bodyTimeout: .requestTimeout
        case .overloaded: .serviceUnavailable
        case .versionNotSupported: .versionNotSupported
        case .codingNotSupported: .notImplemented
        case .unhandled: .internalServerError
        }
    }

    package var message: String {
        switch self {
        case .malformedRequest(let reason): reason
        case .requestLineTooLong(let bytesMax): "the request line is longer than \(bytesMax) bytes"
        case .headTooLarge(let bytesMax): "the request head is larger than \(bytesMax) bytes or has too many fields"
        case .headTimeout: "the request head did not arrive in time"
        case .bodyTooLarge(let bytesMax): "the request body is larger than \(bytesMax) bytes"
        case .bodyMalformed: "the request body is not well-formed chunked coding"
        case .bodyTimeout: "the request body did not arrive in time"
        case .overloaded: "the server handles as many requests as it may; try again"
        case .versionNotSupported: "only HTTP/1.0, HTTP/1.1 and HTTP/2 are spoken here"
        case .codingNotSupported: "the only transfer coding known is chunked"
        case .unhandled: "internal error; the log holds the details under this request's id"
        }
    }
}

/// What one listener serves and how.
package struct ServerConfiguration: Sendable {
    /// The role's name in logs and metrics, such as `store`.
    package var role: String
    /// A numeric address; `127.0.0.1`, `0.0.0.0`, `::1`.
    package var address: String
    /// 0 takes a free port.
    package var port: Int
    package var limits = ServerLimits()
    /// Certificate and key; nil serves plain text.
    package var tls: TLSConfiguration?
    /// Gives a fault the protocol's error form.
    package var faultResponse: @Sendable (ServerFault) -> Response = { Response($0.status, text: $0.message + "\n") }
    /// True writes one line a request at level info.
    package var accessLog = true
    package var metrics: MetricsRegistry?

    package init(role: String, address: String, port: Int) {
        self.role = role
        self.address = address
        self.port = port
    }
}
