import HTTP
import Metrics
import Synchronization

/// Requests by operation, under MinIO's metric names.
final class S3Metrics: Sendable {
    private struct Counters {
        let total: Counter
        let clientErrors: Counter
        let serverErrors: Counter
    }

    private let registry: MetricsRegistry
    private let byName = Mutex<[String: Counters]>([:])

    init(_ registry: MetricsRegistry) { self.registry = registry }

    /// Counts one answered request; nil when no operation could be made out.
    func count(_ endpoint: Endpoint?, status: HTTPStatus) {
        let counters = counters(endpoint?.name ?? "unknown")
        counters.total.add()
        if status.code >= 500 { counters.serverErrors.add() } else if status.code >= 400 { counters.clientErrors.add() }
    }

    private func counters(_ name: String) -> Counters {
        byName.withLock { known in
            if let counters = known[name] { return counters }
            let labels: MetricLabels = [("api", name.lowercased())]
            let counters = Counters(
                total: registry.counter(
                    "minio_s3_requests_total", help: "Total number of S3 requests.", labels: labels),
                clientErrors: registry.counter(
                    "minio_s3_requests_4xx_errors_total", help: "Total number of S3 requests with (4xx) errors.",
                    labels: labels),
                serverErrors: registry.counter(
                    "minio_s3_requests_5xx_errors_total", help: "Total number of S3 requests with (5xx) errors.",
                    labels: labels))
            known[name] = counters
            return counters
        }
    }
}
