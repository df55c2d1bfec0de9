import Formats
import HTTP
import Tracking

extension MLflowService {
    func createLoggedModel(_ message: RequestMessage) async throws -> Response {
        answer(
            try await store.createLoggedModel(
                experimentID: try message.required("experiment_id"),
                name: try message.string("name").flatMap { $0.isEmpty ? nil : $0 },
                type: try message.string("model_type"), sourceRunID: try message.string("source_run_id"),
                parameters: try message.tags("params"), tags: try message.tags("tags")))
    }

    func getLoggedModel(_ id: String, _ message: RequestMessage) async throws -> Response {
        answer(try await store.loggedModel(id: id, allowDeleted: try message.bool("allow_deleted") ?? false))
    }

    func finalizeLoggedModel(_ id: String, _ message: RequestMessage) async throws -> Response {
        let names = LoggedModelStatus.names.enumerated().map {
            $0 == 0 ? "LOGGED_MODEL_STATUS_UNSPECIFIED" : "LOGGED_MODEL_\($1)"
        }
        guard let number = try message.enumeration("status", names, first: 0) else {
            throw RequestMessage.absent("status")
        }
        guard let status = LoggedModelStatus(rawValue: number) else {
            throw MLflowError.invalid("Invalid value \(number) for parameter 'status' supplied.")
        }
        return answer(try await store.finalizeLoggedModel(id: id, status: status))
    }

    func deleteLoggedModel(_ id: String) async throws -> Response {
        try await store.deleteLoggedModel(id: id)
        return .message()
    }

    func setLoggedModelTags(_ id: String, _ message: RequestMessage) async throws -> Response {
        try await store.setLoggedModelTags(id: id, tags: try message.tags("tags"))
        return answer(try await store.loggedModel(id: id))
    }

    func deleteLoggedModelTag(_ id: String, _ key: String) async throws -> Response {
        try await store.deleteLoggedModelTag(id: id, key: key)
        return .message()
    }

    func logLoggedModelParameters(_ id: String, _ message: RequestMessage) async throws -> Response {
        try await store.logLoggedModelParameters(id: id, parameters: try message.tags("params"))
        return .message()
    }

    func searchLoggedModels(_ message: RequestMessage) async throws -> Response {
        let experiments = try message.strings("experiment_ids")
        guard !experiments.isEmpty else { throw RequestMessage.absent("experiment_ids") }
        let orders = try message.messages("order_by") {
            LoggedModelOrder(
                field: try $0.required("field_name"), isAscending: try $0.bool("ascending") ?? true,
                datasetName: try $0.string("dataset_name"), datasetDigest: try $0.string("dataset_digest"))
        }
        let datasets = try message.messages("datasets") {
            (name: try $0.required("dataset_name"), digest: try $0.string("dataset_digest"))
        }
        let page = try await store.searchLoggedModels(
            experimentIDs: experiments, filter: try message.string("filter") ?? "", datasets: datasets, orders: orders,
            countMax: try message.countMax(default: 100, most: TrackingLimits.loggedModelsPerPageMax),
            pageToken: try message.string("page_token"))
        return .page("models", page) { $0.loggedModel($1) }
    }

    func listLoggedModelArtifacts(_ id: String, _ message: RequestMessage) async throws -> Response {
        let model = try await store.loggedModel(id: id)
        return try await list(model.artifactLocation, try message.string("artifact_directory_path"))
    }

    func loggedModelFile(_ id: String, _ message: RequestMessage, _ request: Request) async throws -> Response {
        let path = try message.required("artifact_file_path")
        let model = try await store.loggedModel(id: id)
        return try await file(model.artifactLocation, path, request)
    }

    private func answer(_ model: LoggedModel) -> Response {
        .message {
            $0.key("model")
            $0.loggedModel(model)
        }
    }
}
