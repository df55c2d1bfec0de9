import Formats
import HTTP
import Tracking

extension MLflowService {
    func createExperiment(_ message: RequestMessage) async throws -> Response {
        let id = try await store.createExperiment(
            name: try message.required("name"), artifactLocation: try message.string("artifact_location"),
            tags: try message.tags("tags"))
        return .message { $0.member("experiment_id", "\(id)") }
    }

    func getExperiment(_ message: RequestMessage) async throws -> Response {
        let experiment = try await store.experiment(id: try message.required("experiment_id"))
        return .message {
            $0.key("experiment")
            $0.experiment(experiment)
        }
    }

    func getExperimentByName(_ message: RequestMessage) async throws -> Response {
        let experiment = try await store.experiment(name: try message.required("experiment_name"))
        return .message {
            $0.key("experiment")
            $0.experiment(experiment)
        }
    }

    func deleteExperiment(_ message: RequestMessage) async throws -> Response {
        try await store.deleteExperiment(id: try message.required("experiment_id"))
        return .message()
    }

    func restoreExperiment(_ message: RequestMessage) async throws -> Response {
        try await store.restoreExperiment(id: try message.required("experiment_id"))
        return .message()
    }

    func updateExperiment(_ message: RequestMessage) async throws -> Response {
        let id = try message.required("experiment_id")
        if let name = try message.string("new_name") { try await store.renameExperiment(id: id, to: name) }
        return .message()
    }

    func setExperimentTag(_ message: RequestMessage) async throws -> Response {
        try await store.setExperimentTag(id: try message.required("experiment_id"), tag: try message.pair())
        return .message()
    }

    func deleteExperimentTag(_ message: RequestMessage) async throws -> Response {
        try await store.deleteExperimentTag(id: try message.required("experiment_id"), key: try message.required("key"))
        return .message()
    }

    func searchExperiments(_ message: RequestMessage) async throws -> Response {
        let page = try await store.searchExperiments(
            filter: try message.string("filter") ?? "", view: try message.viewType("view_type"),
            orderBy: try message.strings("order_by"),
            countMax: try message.countMax(default: 1000, most: TrackingLimits.experimentsPerPageMax),
            pageToken: try message.string("page_token"))
        return .page("experiments", page) { $0.experiment($1) }
    }

    func searchDatasets(_ message: RequestMessage) async throws -> Response {
        let ids = try message.strings("experiment_ids")
        guard !ids.isEmpty else {
            throw MLflowError.invalid("SearchDatasets request must specify at least one experiment_id.")
        }
        guard ids.count <= TrackingLimits.experimentsPerDatasetSearchMax else {
            throw MLflowError.invalid(
                "SearchDatasets request cannot specify more than \(TrackingLimits.experimentsPerDatasetSearchMax) experiment_ids. Received \(ids.count) experiment_ids."
            )
        }
        let summaries = try await store.datasetSummaries(experimentIDs: ids)
        return .message {
            $0.list("dataset_summaries", summaries) { writer, summary in
                writer.object {
                    $0.member("experiment_id", "\(summary.experimentID)")
                    $0.member("name", summary.name)
                    $0.member("digest", summary.digest)
                    $0.optional("context", summary.context)
                }
            }
        }
    }
}

extension RequestMessage {
    /// The repeated field `name` of messages with `key` and `value`.
    func tags(_ name: String) throws -> [KeyText] { try messages(name) { try $0.pair() } }

    /// This message's own `key` and `value`; a missing value is empty.
    func pair() throws -> KeyText { KeyText(key: try required("key"), value: try string("value") ?? "") }

    func viewType(_ name: String) throws -> ViewType {
        switch try enumeration(name, ["ACTIVE_ONLY", "DELETED_ONLY", "ALL"]) ?? 1 {
        case 1: .activeOnly
        case 2: .deletedOnly
        case 3: .all
        default: throw MLflowError.invalid("Invalid value for parameter '\(name)': ACTIVE_ONLY, DELETED_ONLY or ALL.")
        }
    }

    /// `max_results`, between 1 and `most`.
    func countMax(default count: Int, most: Int) throws -> Int {
        guard let asked = try int("max_results") else { return count }
        guard asked > 0 else {
            throw MLflowError.invalid(
                "Invalid value \(asked) for parameter 'max_results' supplied: it must be a positive integer.")
        }
        guard asked <= most else {
            throw MLflowError.invalid(
                "Invalid value \(asked) for parameter 'max_results' supplied: it must be at most \(most).")
        }
        return asked
    }
}
