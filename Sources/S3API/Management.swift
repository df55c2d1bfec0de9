// The paths under /minio/ that probes and Prometheus know. Health needs no credentials. Metrics do, as in MinIO, unless
// MINIO_PROMETHEUS_AUTH_TYPE=public: HTTP Basic with the root user, or the same pair as a bearer token `user:password`.
// (MinIO's own tokens are JWTs that `mc admin prometheus generate` signs; they are not taken yet.)

import Bytes
import HTTP
import Metrics
import Objects

struct Management: Sendable {
    let store: ObjectStore
    let configuration: S3Configuration
    let registry: MetricsRegistry

    /// The answer, or nil when the path is not one of management.
    func respond(to request: Request) async throws -> Response? {
        let path = request.path
        guard path.hasPrefix("/minio/") else { return nil }
        guard request.method == .get || request.method == .head else { return Response(.methodNotAllowed) }
        switch path {
        case "/minio/health/live": return Response()
        case "/minio/health/ready", "/minio/health/cluster", "/minio/health/cluster/read": return await readiness()
        case "/minio/v2/metrics/cluster", "/minio/v2/metrics/node", "/minio/v2/metrics/bucket",
            "/minio/prometheus/metrics":
            guard mayReadMetrics(request) else { return Response(.forbidden, text: "Access Denied.\n") }
            return try await metrics(path)
        default: return Response(.notFound, text: "No management path of this release.\n")
        }
    }

    /// Ready means that the index answers.
    private func readiness() async -> Response {
        do {
            _ = try await store.usage()
            return Response()
        } catch {
            return Response(.serviceUnavailable)
        }
    }

    private func mayReadMetrics(_ request: Request) -> Bool {
        if configuration.metricsArePublic { return true }
        guard let root = configuration.credentials.first, let field = request.fields["Authorization"] else {
            return false
        }
        let expected = Array("\(root.accessKey):\(root.secretKey)".utf8)
        if field.hasPrefix("Bearer ") { return ConstantTime.equal(field.dropFirst(7).utf8, expected) }
        guard field.hasPrefix("Basic "), let given = Base64.decode(field.dropFirst(6).utf8) else { return false }
        return ConstantTime.equal(given, expected)
    }

    private func metrics(_ path: Substring) async throws -> Response {
        let usage = try await store.usage()
        var out: [UInt8] = []
        if path.hasSuffix("/bucket") {
            Self.family("minio_bucket_usage_object_total", "Total number of objects.", "gauge", &out) { out in
                for bucket in usage {
                    out.append(MetricsRegistry.prefix("minio_bucket_usage_object_total", [("bucket", bucket.name)]))
                    out.append("\(bucket.objectCount)\n")
                }
            }
            Self.family("minio_bucket_usage_total_bytes", "Total bucket size in bytes.", "gauge", &out) { out in
                for bucket in usage {
                    out.append(MetricsRegistry.prefix("minio_bucket_usage_total_bytes", [("bucket", bucket.name)]))
                    out.append("\(bucket.byteCount)\n")
                }
            }
        } else {
            let space = store.space ?? (0, 0)
            let figures: [(String, String, Int64)] = [
                ("minio_cluster_bucket_total", "Total number of buckets in the cluster.", Int64(usage.count)),
                (
                    "minio_cluster_usage_object_total", "Total number of objects in the cluster.",
                    Int64(usage.reduce(0) { $0 + $1.objectCount })
                ),
                (
                    "minio_cluster_usage_total_bytes", "Total cluster usage in bytes.",
                    usage.reduce(0) { $0 + $1.byteCount }
                ),
                ("minio_cluster_capacity_raw_total_bytes", "Total capacity online in the cluster.", space.totalBytes),
                (
                    "minio_cluster_capacity_raw_free_bytes", "Total free capacity online in the cluster.",
                    space.freeBytes
                ),
                ("minio_cluster_capacity_usable_total_bytes", "Total usable capacity.", space.totalBytes),
                ("minio_cluster_capacity_usable_free_bytes", "Total free usable capacity.", space.freeBytes),
                ("minio_cluster_nodes_online_total", "Total number of MinIO nodes online.", 1),
                ("minio_cluster_nodes_offline_total", "Total number of MinIO nodes offline.", 0),
                ("minio_cluster_drive_online_total", "Total drives online in this cluster.", 1),
                ("minio_cluster_drive_offline_total", "Total drives offline in this cluster.", 0),
                ("minio_cluster_health_status", "Get current cluster health status.", 1),
            ]
            for (name, help, value) in figures {
                Self.family(name, help, "gauge", &out) { $0.append("\(name) \(value)\n") }
            }
            out.append(contentsOf: registry.render())
        }
        return Response(contentType: "text/plain; version=0.0.4; charset=utf-8", out)
    }

    private static func family(
        _ name: String, _ help: String, _ type: String, _ out: inout [UInt8], _ series: (inout [UInt8]) -> Void
    ) {
        out.append("# HELP \(name) \(help)\n# TYPE \(name) \(type)\n")
        series(&out)
    }
}
