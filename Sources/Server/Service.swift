// What all connections of a server share: the handler, the limits, and one place where a request is counted, measured,
// logged and kept from crashing its connection.

import Clock
import HTTP
import Log
import Metrics
import Synchronization

/// The shared half of a server.
final class Service: Sendable {
    let configuration: ServerConfiguration
    let logger: Logger
    private let handler: Handler
    private let inFlight = Atomic<Int>(0)
    let isDraining = Atomic<Bool>(false)
    private let metrics: ServerMetrics?

    init(configuration: ServerConfiguration, handler: @escaping Handler) {
        self.configuration = configuration
        self.handler = handler
        logger = Logger(role: configuration.role)
        metrics = configuration.metrics.map { ServerMetrics(registry: $0, role: configuration.role) }
    }

    var limits: ServerLimits { configuration.limits }

    /// Runs the handler. Each call is followed by one of `finished`, when the answer is sent, or `abandoned`, when that
    /// failed, unless it throws. An error it lets through is a bug of ours: it is logged with the request's id and answered 500.
    ///
    /// Throws only `CancellationError`, when the peer has gone.
    func respond(to request: Request) async throws -> Response {
        guard inFlight.wrappingAdd(1, ordering: .relaxed).newValue <= limits.requestsInFlightMax else {
            var response = faultResponse(.overloaded)
            response.fields["Retry-After"] = "1"
            return response
        }
        do {
            return try await handler(request)
        } catch is CancellationError {
            inFlight.wrappingSubtract(1, ordering: .relaxed)
            throw CancellationError()
        } catch let error as BodyError {
            switch error {
            case .tooLarge(let bytesMax): return faultResponse(.bodyTooLarge(bytesMax: bytesMax))
            case .malformed: return faultResponse(.bodyMalformed)
            case .timeout: return faultResponse(.bodyTimeout)
            case .truncated:
                inFlight.wrappingSubtract(1, ordering: .relaxed)
                throw CancellationError()
            }
        } catch {
            logger.error(
                "request failed",
                [
                    ("id", request.id), ("method", request.method.name), ("path", String(request.path)),
                    ("error", "\(error)"),
                ])
            return faultResponse(.unhandled)
        }
    }

    /// Counts, measures and logs a request that `respond` let in and that has been answered.
    func finished(_ request: Request, status: HTTPStatus, bytes: Int, started: MonotonicTime, log: AccessLog) {
        inFlight.wrappingSubtract(1, ordering: .relaxed)
        let seconds = started.elapsedSeconds
        metrics?.observe(status: status, bytes: bytes, seconds: seconds)
        if configuration.accessLog, Logger.threshold <= .info {
            log.append(request, status: status, bytes: bytes, seconds: seconds)
        }
    }

    /// A request whose peer went away before the answer was complete.
    func abandoned() { inFlight.wrappingSubtract(1, ordering: .relaxed) }

    func faultResponse(_ fault: ServerFault) -> Response { configuration.faultResponse(fault) }

    var requestsInFlight: Int { inFlight.load(ordering: .relaxed) }
}

/// The metrics of one server.
struct ServerMetrics: Sendable {
    private let byClass: [Counter]
    private let bytesSent: Counter
    private let duration: Histogram

    init(registry: MetricsRegistry, role: String) {
        byClass = (1...5).map {
            registry.counter(
                "slipway_http_requests_total", help: "Requests answered, by role and class of status.",
                labels: [("role", role), ("status", "\($0)xx")])
        }
        bytesSent = registry.counter(
            "slipway_http_response_bytes_total", help: "Body bytes sent.", labels: [("role", role)])
        duration = registry.histogram(
            "slipway_http_request_duration_seconds", help: "From a request's head to the end of its answer.",
            bounds: [0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10],
            labels: [("role", role)])
    }

    func observe(status: HTTPStatus, bytes: Int, seconds: Double) {
        byClass[status.code / 100 - 1].add()
        bytesSent.add(UInt64(bytes))
        duration.observe(seconds)
    }
}
