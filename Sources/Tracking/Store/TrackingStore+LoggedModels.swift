import Bytes
import Database

/// How a search of logged models is ordered, optionally by a metric over one data set.
package struct LoggedModelOrder: Sendable {
    package var field: String
    package var isAscending: Bool
    package var datasetName: String?
    package var datasetDigest: String?

    package init(field: String, isAscending: Bool, datasetName: String? = nil, datasetDigest: String? = nil) {
        self.field = field
        self.isAscending = isAscending
        self.datasetName = datasetName
        self.datasetDigest = datasetDigest
    }
}

extension TrackingStore {
    package func createLoggedModel(
        experimentID: String, name: String?, type: String?, sourceRunID: String?, parameters: [KeyText], tags: [KeyText]
    ) async throws -> LoggedModel {
        let experiment = try Self.experimentNumber(experimentID)
        if let name { try NameRules.checkLoggedModelName(name) }
        try Self.checkModelParameters(parameters)
        for tag in tags { try NameRules.checkKey(tag.key, "tag") }
        return try await write { connection in
            try Self.requireActiveExperiment(experiment, connection)
            let id = "m-\(Randomness.hexID())"
            let root =
                try connection.first(
                    "SELECT artifact_location FROM experiments WHERE experiment_id = ?", .int(experiment)
                ) { $0.text(0) } ?? ""
            let location = ["models", id, "artifacts"].reduce(root, ArtifactLocation.child)
            let now = DatabaseValue.int(Self.nowMilliseconds)
            try connection.execute(
                """
                INSERT INTO logged_models (model_id, experiment_id, name, model_type, source_run_id, artifact_location,
                    status, lifecycle_stage, creation_time, last_update_time) VALUES (?, ?, ?, ?, ?, ?, 1, 'active', ?, ?)
                """, .text(id), .int(experiment), .text(name ?? RunName.random()), .optional(type),
                .optional(sourceRunID), .text(location), now, now)
            let number = try Self.modelNumber(id, connection)
            try Self.setModelParameters(parameters, number, connection)
            for tag in tags { try Self.setLoggedModelTag(tag, number, connection) }
            return try Self.loggedModel(id, connection)
        }
    }

    package func loggedModel(id: String, allowDeleted: Bool = false) async throws -> LoggedModel {
        try await read { try Self.loggedModel(id, $0, allowDeleted: allowDeleted) }
    }

    /// Sets the status that an upload ended with.
    package func finalizeLoggedModel(id: String, status: LoggedModelStatus) async throws -> LoggedModel {
        try await write { connection in
            let number = try Self.modelNumber(id, connection)
            try connection.execute(
                "UPDATE logged_models SET status = ?, last_update_time = ? WHERE model_number = ?",
                .int(status.rawValue),
                .int(Self.nowMilliseconds), .int(number))
            return try Self.loggedModel(id, connection)
        }
    }

    package func deleteLoggedModel(id: String) async throws {
        try await write { connection in
            let number = try Self.modelNumber(id, connection)
            try connection.execute(
                "UPDATE logged_models SET lifecycle_stage = 'deleted', last_update_time = ? WHERE model_number = ?",
                .int(Self.nowMilliseconds), .int(number))
        }
    }

    package func setLoggedModelTags(id: String, tags: [KeyText]) async throws {
        for tag in tags { try NameRules.checkKey(tag.key, "tag") }
        try await write { connection in
            let number = try Self.modelNumber(id, connection)
            for tag in tags { try Self.setLoggedModelTag(tag, number, connection) }
        }
    }

    package func deleteLoggedModelTag(id: String, key: String) async throws {
        try await write { connection in
            let number = try Self.modelNumber(id, connection)
            let count = try connection.execute(
                "DELETE FROM logged_model_tags WHERE model_number = ? AND tag_key = ?", .int(number), .text(key))
            guard count > 0 else {
                throw TrackingError.missing(
                    "No tag with key '\(NameRules.abbreviated(key))' found for model with ID '\(id)'.")
            }
        }
    }

    package func logLoggedModelParameters(id: String, parameters: [KeyText]) async throws {
        try Self.checkModelParameters(parameters)
        try await write { connection in
            try Self.setModelParameters(parameters, try Self.modelNumber(id, connection), connection)
        }
    }

    /// Searches logged models; newest first unless `orders` say otherwise.
    package func searchLoggedModels(
        experimentIDs: [String], filter: String, datasets: [(name: String, digest: String?)],
        orders: [LoggedModelOrder],
        countMax: Int, pageToken: String?
    ) async throws -> Page<LoggedModel> {
        let experiments = experimentIDs.compactMap { try? Self.experimentNumber($0) }
        guard !experiments.isEmpty else { return Page(elements: [], nextPageToken: nil) }
        return try await read { connection in
            let token = try Self.token(pageToken, "SELECT MAX(model_number) FROM logged_models", connection)
            var query = SearchQuery(.loggedModels)
            let marks = Array(repeating: "?", count: experiments.count).joined(separator: ", ")
            query.require("b.experiment_id IN (\(marks))", experiments.map(DatabaseValue.int))
            query.require("b.lifecycle_stage = 'active'")
            if let ceiling = token.ceiling { query.require("b.model_number <= ?", [.int(ceiling)]) }
            try query.require(filter: filter)
            if !datasets.isEmpty {
                let each = datasets.map { _ in "(x.dataset_name = ? AND (? = '' OR x.dataset_digest = ?))" }
                let values = datasets.flatMap { [$0.name, $0.digest ?? "", $0.digest ?? ""].map(DatabaseValue.text) }
                query.require(
                    """
                    EXISTS (SELECT 1 FROM logged_model_metrics x WHERE x.model_number = b.model_number AND \
                    (\(each.joined(separator: " OR "))))
                    """, values)
            }
            for order in orders {
                var term = try FilterParser.order(order.field)
                term.isAscending = order.isAscending
                try query.order(by: term, datasetName: order.datasetName, datasetDigest: order.datasetDigest)
            }
            let (sql, values) = query.select(
                "b.model_id", tieBreak: "b.creation_time DESC, b.model_id", limit: countMax + 1,
                offset: token.offset)
            let ids = try connection.query(sql, values: values) { $0.text(0) }
            let models = try ids.prefix(countMax).map { try Self.loggedModel($0, connection) }
            return Page(elements: models, nextPageToken: token.next(found: ids.count, countMax: countMax))
        }
    }

    static func setLoggedModelTag(_ tag: KeyText, _ number: Int, _ connection: DatabaseConnection) throws {
        try connection.execute(
            """
            INSERT INTO logged_model_tags (model_number, tag_key, tag_value) VALUES (?, ?, ?)
            ON CONFLICT (model_number, tag_key) DO UPDATE SET tag_value = excluded.tag_value
            """, .int(number), .text(tag.key), .text(NameRules.cut(tag.value, to: TrackingLimits.tagCharactersMax)))
    }

    private static func modelNumber(_ id: String, _ connection: DatabaseConnection) throws -> Int {
        let number = try connection.first(
            "SELECT model_number FROM logged_models WHERE model_id = ? AND lifecycle_stage = 'active'", .text(id)
        ) { $0.int(0) }
        guard let number else { throw noLoggedModel(id) }
        return number
    }

    private static func noLoggedModel(_ id: String) -> TrackingError {
        .missing("Logged model with ID '\(NameRules.abbreviated(id))' not found.")
    }

    private static func checkModelParameters(_ parameters: [KeyText]) throws(TrackingError) {
        guard parameters.count <= 1000 else { throw .invalid("At most 1000 params can be logged in one call.") }
        for parameter in parameters { try NameRules.checkKey(parameter.key, "param") }
    }

    private static func setModelParameters(
        _ parameters: [KeyText], _ number: Int, _ connection: DatabaseConnection
    ) throws {
        for parameter in parameters {
            let value = NameRules.cut(parameter.value, to: TrackingLimits.parameterCharactersMax)
            try connection.execute(
                """
                INSERT INTO logged_model_params (model_number, param_key, param_value) VALUES (?, ?, ?)
                ON CONFLICT (model_number, param_key) DO UPDATE SET param_value = excluded.param_value
                """, .int(number), .text(parameter.key), .text(value))
        }
    }

    static func loggedModel(
        _ id: String, _ connection: DatabaseConnection, allowDeleted: Bool = false
    ) throws -> LoggedModel {
        var number = 0
        let found = try connection.first(
            """
            SELECT model_number, experiment_id, name, model_type, source_run_id, artifact_location, status, status_message,
                creation_time, last_update_time FROM logged_models
            WHERE model_id = ? AND (lifecycle_stage = 'active' OR ? = 1)
            """, .text(id), .bool(allowDeleted)
        ) { row in
            number = row.int(0)
            return LoggedModel(
                id: id, experimentID: row.int(1), name: row.text(2), type: row.optionalText(3),
                sourceRunID: row.optionalText(4), artifactLocation: row.text(5),
                status: LoggedModelStatus(rawValue: row.int(6)) ?? .unspecified, statusMessage: row.optionalText(7),
                creationMilliseconds: row.int(8), lastUpdateMilliseconds: row.int(9), tags: [], parameters: [],
                metrics: [])
        }
        guard var model = found else { throw noLoggedModel(id) }
        let key = DatabaseValue.int(number)
        model.tags = try connection.query(
            "SELECT tag_key, tag_value FROM logged_model_tags WHERE model_number = ?", key, row: keyText)
        model.parameters = try connection.query(
            "SELECT param_key, param_value FROM logged_model_params WHERE model_number = ?", key, row: keyText)
        model.metrics = try connection.query(
            """
            SELECT metric_key, value, logged_at, step, is_nan, run_id, dataset_name, dataset_digest
            FROM logged_model_metrics WHERE model_number = ?
            """, key
        ) { row in
            var point = metricPoint(row)
            point.modelID = id
            point.runID = row.text(5)
            point.datasetName = row.text(6).isEmpty ? nil : row.text(6)
            point.datasetDigest = row.text(7).isEmpty ? nil : row.text(7)
            return point
        }
        return model
    }
}
