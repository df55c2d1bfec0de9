import Clock
import Formats
import HTTP
import Tracking

extension MLflowService {
    func createRun(_ message: RequestMessage) async throws -> Response {
        let run = try await store.createRun(
            experimentID: try message.string("experiment_id").flatMap { $0.isEmpty ? nil : $0 } ?? "0",
            user: try message.string("user_id") ?? "", name: try message.string("run_name") ?? "",
            startMilliseconds: try message.int("start_time") ?? Int(WallTime.now.milliseconds),
            tags: try message.tags("tags"))
        return .message {
            $0.key("run")
            $0.run(run)
        }
    }

    func getRun(_ message: RequestMessage) async throws -> Response {
        let run = try await store.run(id: try message.runID())
        return .message {
            $0.key("run")
            $0.run(run)
        }
    }

    func updateRun(_ message: RequestMessage) async throws -> Response {
        var status: RunStatus?
        if let number = try message.enumeration("status", ["RUNNING", "SCHEDULED", "FINISHED", "FAILED", "KILLED"]) {
            status = RunStatus(number: number)
            guard status != nil else {
                throw MLflowError.invalid("Invalid value \(number) for parameter 'status' supplied.")
            }
        }
        let information = try await store.updateRun(
            id: try message.runID(), status: status, endMilliseconds: try message.int("end_time"),
            name: try message.string("run_name"))
        return .message {
            $0.key("run_info")
            $0.runInformation(information)
        }
    }

    func deleteRun(_ message: RequestMessage) async throws -> Response {
        try await store.deleteRun(id: try message.required("run_id"))
        return .message()
    }

    func restoreRun(_ message: RequestMessage) async throws -> Response {
        try await store.restoreRun(id: try message.required("run_id"))
        return .message()
    }

    func searchRuns(_ message: RequestMessage) async throws -> Response {
        let page = try await store.searchRuns(
            experimentIDs: try message.strings("experiment_ids"), filter: try message.string("filter") ?? "",
            view: try message.viewType("run_view_type"), orderBy: try message.strings("order_by"),
            countMax: try message.countMax(default: 1000, most: TrackingLimits.runsPerPageMax),
            pageToken: try message.string("page_token"))
        return .page("runs", page) { $0.run($1) }
    }

    func setTag(_ message: RequestMessage) async throws -> Response {
        try await store.setTag(runID: try message.runID(), tag: try message.pair())
        return .message()
    }

    func deleteTag(_ message: RequestMessage) async throws -> Response {
        try await store.deleteTag(runID: try message.required("run_id"), key: try message.required("key"))
        return .message()
    }

    func logMetric(_ message: RequestMessage) async throws -> Response {
        let id = try message.runID()
        guard let object = message.object else { throw RequestMessage.absent("key") }
        try await store.logMetric(runID: id, point: try MetricPoint(reading: object))
        return .message()
    }

    func logParameter(_ message: RequestMessage) async throws -> Response {
        let id = try message.runID()
        let parameter = KeyText(key: try message.required("key"), value: try message.string("value") ?? "")
        try await store.logParameter(runID: id, parameter: parameter)
        return .message()
    }

    func logBatch(_ message: RequestMessage) async throws -> Response {
        let metrics = try message.messages("metrics") { element in
            guard let object = element.object else { throw RequestMessage.absent("key") }
            return try MetricPoint(reading: object)
        }
        try await store.logBatch(
            runID: try message.required("run_id"), metrics: metrics, parameters: try message.tags("params"),
            tags: try message.tags("tags"))
        return .message()
    }

    /// Appends a model's description to the tag that 1.x and 2.x clients keep them in.
    func logModel(_ message: RequestMessage) async throws -> Response {
        let text = try message.required("model_json")
        guard let model = try? JSON.parse(Array(text.utf8)), case .object(let members) = model else {
            throw MLflowError.invalid("Malformed model info: 'model_json' must hold a JSON object.")
        }
        let missing = ["artifact_path", "flavors", "utc_time_created", "run_id"].filter { members[$0] == nil }
        guard missing.isEmpty else {
            throw MLflowError.invalid("Model json is missing mandatory fields: \(missing.joined(separator: ", "))")
        }
        try await store.appendLoggedModel(runID: try message.required("run_id"), entry: Array(text.utf8))
        return .message()
    }

    func logInputs(_ message: RequestMessage) async throws -> Response {
        let datasets = try message.messages("datasets") { input in
            guard let dataset = try input.message("dataset") else { throw RequestMessage.absent("dataset") }
            return DatasetInput(
                name: try dataset.required("name"), digest: try dataset.required("digest"),
                sourceType: try dataset.required("source_type"), source: try dataset.required("source"),
                schema: try dataset.string("schema"), profile: try dataset.string("profile"),
                tags: try input.tags("tags"))
        }
        let models = try message.messages("models") { try $0.required("model_id") }
        try await store.logInputs(runID: try message.required("run_id"), datasets: datasets, modelIDs: models)
        return .message()
    }

    func logOutputs(_ message: RequestMessage) async throws -> Response {
        let models = try message.messages("models") {
            ModelOutput(modelID: try $0.required("model_id"), step: try $0.int("step") ?? 0)
        }
        try await store.logOutputs(runID: try message.required("run_id"), models: models)
        return .message()
    }
}

extension RequestMessage {
    /// The run's id under its present or its older name.
    func runID() throws -> String { try required(either: "run_id", "run_uuid") }
}

extension MetricPoint {
    /// Reads a point in one pass over its members: the hottest loop of the API.
    init(reading object: JSONValue) throws(MLflowError) {
        var point = MetricPoint(key: "", value: 0, timestampMilliseconds: 0, step: 0)
        var seen = (key: false, value: false, timestamp: false)
        try object.forEachMember { name, value throws(MLflowError) in
            if value.isNull { return }
            func text(_ field: String) throws(MLflowError) -> String {
                guard let text = value.string else { throw RequestMessage.wrongType(field, value, "a string") }
                return text
            }
            if name.equals("key") {
                point.key = try text("key")
                seen.key = !point.key.isEmpty
            } else if name.equals("value") {
                point.value = try RequestMessage.double(value, "value")
                seen.value = true
            } else if name.equals("timestamp") {
                point.timestampMilliseconds = try RequestMessage.int(value, "timestamp")
                seen.timestamp = true
            } else if name.equals("step") {
                point.step = try RequestMessage.int(value, "step")
            } else if name.equals("model_id") {
                point.modelID = try text("model_id")
            } else if name.equals("dataset_name") {
                point.datasetName = try text("dataset_name")
            } else if name.equals("dataset_digest") {
                point.datasetDigest = try text("dataset_digest")
            }
        }
        guard seen.key else { throw RequestMessage.absent("key") }
        guard seen.value else { throw RequestMessage.absent("value") }
        guard seen.timestamp else { throw RequestMessage.absent("timestamp") }
        if point.modelID == "" { point.modelID = nil }
        self = point
    }
}
