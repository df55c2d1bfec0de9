import Cluster
import HTTP
import Metrics

extension KubernetesAPI {
    /// Counts an answered request under the names that a Kubernetes API server uses.
    func count(_ request: Request, _ response: Response) {
        let segments = request.path.split(separator: "/").map(String.init)
        // Only resources that exist become labels: a stranger's paths must not make metrics grow.
        let path = ResourcePath(segments)
        let kind = path?.kind(among: store.kinds)
        let verb = Self.verb(request, hasName: path?.name != nil)
        metrics.counter(
            "apiserver_request_total", help: "Requests by verb, resource and code.",
            labels: [
                ("verb", verb), ("group", kind?.group ?? ""), ("resource", kind?.plural ?? ""),
                ("code", "\(response.status.code)"),
            ]
        ).add()
    }

    private static func verb(_ request: Request, hasName: Bool) -> String {
        switch request.method {
        case .get: hasName ? "GET" : request.query.contains("watch=") ? "WATCH" : "LIST"
        case .post, .put, .patch, .delete, .head: request.method.name
        default: "other"
        }
    }

    func metricsText() -> [UInt8] {
        for kind in store.kinds {
            metrics.gauge(
                "apiserver_storage_objects", help: "Objects stored, by resource.",
                labels: [("resource", kind.qualifiedPlural)]
            ).set(Int64(store.count(kind)))
        }
        metrics.gauge("apiserver_longrunning_requests", help: "Watches open, those of controllers included.")
            .set(Int64(store.watchCount))
        return metrics.render()
    }
}
