import Formats
import HTTP
import Tracking

extension MLflowService {
    func metricHistory(_ message: RequestMessage) async throws -> Response {
        let asked = try message.int("max_results")
        if let asked, asked <= 0 {
            throw MLflowError.invalid(
                "Invalid value \(asked) for parameter 'max_results' supplied. It must be a positive integer.")
        }
        let page = try await store.metricHistory(
            runID: try message.runID(), key: try message.required("metric_key"),
            countMax: asked.map { min($0, TrackingLimits.historyPerPageMax) },
            pageToken: try message.string("page_token"))
        return .page("metrics", page) { $0.metric($1) }
    }

    func metricHistories(_ message: RequestMessage) async throws -> Response {
        let ids = try message.strings("run_id")
        guard !ids.isEmpty else {
            throw MLflowError.invalid("GetMetricHistoryBulk request must specify at least one run_id.")
        }
        guard ids.count <= TrackingLimits.runsPerHistoryMax else {
            throw MLflowError.invalid(
                "GetMetricHistoryBulk request cannot specify more than \(TrackingLimits.runsPerHistoryMax) run_ids. Received \(ids.count) run_ids."
            )
        }
        guard let key = try message.string("metric_key") else {
            throw MLflowError.invalid("GetMetricHistoryBulk request must specify a metric_key.")
        }
        let count = try message.int("max_results") ?? TrackingLimits.historyPerPageMax
        let points = try await store.metricHistories(
            runIDs: ids, key: key, countMax: min(max(count, 0), TrackingLimits.historyPerPageMax))
        return .message {
            $0.key("metrics")
            $0.beginArray()
            for point in points { $0.metric(point) }
            $0.endArray()
        }
    }

    func sampledHistories(_ message: RequestMessage) async throws -> Response {
        let ids = try message.strings("run_ids")
        guard !ids.isEmpty else { throw RequestMessage.absent("run_ids") }
        guard ids.count <= TrackingLimits.runsPerHistoryMax else {
            throw MLflowError.invalid(
                "GetMetricHistoryBulkInterval request must specify at most \(TrackingLimits.runsPerHistoryMax) run_ids. Received \(ids.count) run_ids."
            )
        }
        let key = try message.required("metric_key")
        let count = try message.int("max_results") ?? TrackingLimits.pointsPerRunMax
        guard (1...TrackingLimits.pointsPerRunMax).contains(count) else {
            throw MLflowError.invalid("max_results must be between 1 and \(TrackingLimits.pointsPerRunMax).")
        }
        var steps: ClosedRange<Int>?
        switch (try message.int("start_step"), try message.int("end_step")) {
        case (let start?, let end?):
            guard start <= end else {
                throw MLflowError.invalid(
                    "end_step must be greater than start_step. Found start_step=\(start) and end_step=\(end).")
            }
            steps = start...end
        case (nil, nil): break
        default:
            throw MLflowError.invalid("If either start step or end step are specified, both must be specified.")
        }
        let points = try await store.sampledHistories(runIDs: ids, key: key, steps: steps, countMax: count)
        return .message { $0.list("metrics", points) { $0.metric($1) } }
    }
}
