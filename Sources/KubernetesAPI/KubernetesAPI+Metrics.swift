// Metrics under the names that a Kubernetes API server uses, so that its dashboards show something.

import Bytes
import Cluster
import HTTP
import Metrics
import Synchronization

/// Counts answered requests by what they asked for.
final class RequestCounts: Sendable {
    private struct Series: Hashable {
        let verb: String
        let kind: ResourceKind?
        let code: Int
    }

    private let counts = Mutex<[Series: UInt64]>([:])

    /// Only kinds that are served become labels: a stranger's paths must not make the series grow.
    func add(verb: String, kind: ResourceKind?, code: Int) {
        counts.withLock { $0[Series(verb: verb, kind: kind, code: code), default: 0] += 1 }
    }

    func render(_ out: inout [UInt8]) {
        let lines = counts.withLock { $0 }.map { series, count in
            MetricsRegistry.prefix(
                "apiserver_request_total",
                [
                    ("verb", series.verb), ("group", series.kind?.group ?? ""), ("resource", series.kind?.plural ?? ""),
                    ("code", "\(series.code)"),
                ]) + "\(count)\n"
        }
        for line in lines.sorted() { out.append(line) }
    }
}

extension KubernetesAPI {
    static func register(_ counts: RequestCounts, _ store: ResourceStore, in metrics: MetricsRegistry) {
        metrics.collected(
            "apiserver_request_total", help: "Requests by verb, resource and code.", type: "counter"
        ) { counts.render(&$0) }
        metrics.collected("apiserver_storage_objects", help: "Objects stored, by resource.", type: "gauge") { out in
            for kind in store.kinds {
                out.append(MetricsRegistry.prefix("apiserver_storage_objects", [("resource", kind.qualifiedPlural)]))
                out.append(decimal: store.count(kind))
                out.append("\n")
            }
        }
        metrics.collected(
            "apiserver_longrunning_requests", help: "Watches open, those of controllers included.", type: "gauge"
        ) { out in
            out.append("apiserver_longrunning_requests ")
            out.append(decimal: store.watchCount)
            out.append("\n")
        }
    }

    /// Counts an answered request.
    func count(_ request: Request, _ response: Response) {
        let path = ResourcePath(request.path.pieces(by: "/").map(String.init))
        let verb: String
        switch request.method {
        case .get: verb = path?.name != nil ? "GET" : request.query.contains("watch=") ? "WATCH" : "LIST"
        case .post, .put, .patch, .delete, .head: verb = request.method.name
        default: verb = "other"
        }
        counts.add(verb: verb, kind: path?.kind(among: store.kinds), code: response.status.code)
    }
}
