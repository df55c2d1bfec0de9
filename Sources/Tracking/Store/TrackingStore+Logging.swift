// Logging to a run. Everything here is idempotent: a client that retries a batch whose answer it never saw leaves the
// same rows, and the cost depends on the batch, never on how much was logged before.

import Bytes
import Database

extension TrackingStore {
    /// Stores a batch in one transaction: all of it, or nothing.
    ///
    /// Throws when the run is unknown or deleted, a name is not allowed, or a parameter would change its value.
    package func logBatch(
        runID: String, metrics: [MetricPoint], parameters: [KeyText], tags: [KeyText]
    ) async throws {
        try Self.checkBatch(metrics, parameters, tags)
        try await write { connection in
            let run = try Self.activeRun(runID, connection)
            try Self.logParameters(parameters, run, connection)
            try Self.logMetrics(metrics, run, connection)
            try Self.setTags(tags, run.number, connection)
        }
    }

    package func logMetric(runID: String, point: MetricPoint) async throws {
        try await logBatch(runID: runID, metrics: [point], parameters: [], tags: [])
    }

    package func logParameter(runID: String, parameter: KeyText) async throws {
        try await logBatch(runID: runID, metrics: [], parameters: [parameter], tags: [])
    }

    private static func checkBatch(
        _ metrics: [MetricPoint], _ parameters: [KeyText], _ tags: [KeyText]
    ) throws(TrackingError) {
        func check(_ count: Int, _ limit: Int, _ what: String) throws(TrackingError) {
            guard count <= limit else {
                throw .invalid(
                    "A batch logging request can contain at most \(limit) \(what). Got \(count) \(what). Please split up \(what) across multiple requests and try again."
                )
            }
        }
        try check(metrics.count, TrackingLimits.metricsPerBatchMax, "metrics")
        try check(parameters.count, TrackingLimits.parametersPerBatchMax, "params")
        try check(tags.count, TrackingLimits.tagsPerBatchMax, "tags")
        try check(
            metrics.count + parameters.count + tags.count, TrackingLimits.entitiesPerBatchMax,
            "metrics, params, and tags")
        var checked = ExactText("")
        for metric in metrics where ExactText(metric.key) != checked {
            try NameRules.checkKey(metric.key, "metric")
            checked = ExactText(metric.key)
        }
        for metric in metrics where metric.datasetName != nil || metric.datasetDigest != nil {
            try checkDatasetText(metric.datasetName, TrackingLimits.datasetNameBytesMax, "name")
            try checkDatasetText(metric.datasetDigest, TrackingLimits.datasetDigestBytesMax, "digest")
        }
        var seen: Set<ExactText> = []
        for parameter in parameters {
            try NameRules.checkKey(parameter.key, "param")
            guard seen.insert(ExactText(parameter.key)).inserted else {
                throw .invalid(
                    "Duplicate parameter keys have been submitted: ['\(NameRules.abbreviated(parameter.key))']. Please ensure the request contains only one param value per param key."
                )
            }
        }
        for tag in tags { try NameRules.checkKey(tag.key, "tag") }
    }

    private static func logParameters(
        _ parameters: [KeyText], _ run: RunInformation, _ connection: DatabaseConnection
    ) throws {
        let cut = parameters.map {
            KeyText(key: $0.key, value: NameRules.cut($0.value, to: TrackingLimits.parameterCharactersMax))
        }
        let count = try connection.insert(
            into: "params", ["run_number", "param_key", "param_value"],
            rows: cut.map { [.int(run.number), .text($0.key), .text($0.value)] }, onConflict: "DO NOTHING")
        guard count < cut.count else { return }
        for parameter in cut { try requireUnchanged(parameter, run, connection) }
    }

    private static func requireUnchanged(
        _ parameter: KeyText, _ run: RunInformation, _ connection: DatabaseConnection
    ) throws {
        let old = try connection.first(
            "SELECT param_value FROM params WHERE run_number = ? AND param_key = ?", .int(run.number),
            .text(parameter.key)
        ) { $0.text(0) }
        guard old.map(ExactText.init) == ExactText(parameter.value) else {
            throw TrackingError.invalid(
                "Changing param values is not allowed. Param with key='\(parameter.key)' was already logged with value='\(NameRules.abbreviated(old ?? ""))' for run ID='\(run.id)'. "
                    + "Attempted logging new value '\(NameRules.abbreviated(parameter.value))'."
            )
        }
    }

    private static func logMetrics(_ metrics: [MetricPoint], _ run: RunInformation, _ connection: DatabaseConnection)
        throws
    {
        let columns = ["run_number", "metric_key", "step", "logged_at", "value", "is_nan"]
        func row(_ key: String, _ point: StoredPoint) -> [DatabaseValue] {
            [
                .int(run.number), .text(key), .int(point.step), .int(point.timestamp), .double(point.value),
                .bool(point.isNaN),
            ]
        }
        var latest: [ExactText: StoredPoint] = [:]
        var rows: [[DatabaseValue]] = []
        rows.reserveCapacity(metrics.count)
        for metric in metrics {
            let point = StoredPoint(metric)
            rows.append(row(metric.key, point))
            let key = ExactText(metric.key)
            if latest[key].map({ $0 < point }) ?? true { latest[key] = point }
        }
        try connection.insert(into: "metric_points", columns, rows: rows, onConflict: "DO NOTHING")
        try connection.insert(
            into: "latest_metrics", columns, rows: latest.map { row($0.key.text, $0.value) },
            onConflict: """
                (run_number, metric_key) DO UPDATE SET
                    step = excluded.step, logged_at = excluded.logged_at, value = excluded.value, is_nan = excluded.is_nan
                WHERE (excluded.step, excluded.logged_at, excluded.value)
                    > (latest_metrics.step, latest_metrics.logged_at, latest_metrics.value)
                """)
        for metric in metrics where metric.modelID != nil { try logModelMetric(metric, run, connection) }
    }

    private static func logModelMetric(_ metric: MetricPoint, _ run: RunInformation, _ connection: DatabaseConnection)
        throws
    {
        let number = try connection.first(
            "SELECT model_number FROM logged_models WHERE model_id = ?", .optional(metric.modelID)
        ) { $0.int(0) }
        guard let number else {
            throw TrackingError.missing(
                "Logged model with ID '\(NameRules.abbreviated(metric.modelID ?? ""))' not found.")
        }
        let point = StoredPoint(metric)
        try connection.execute(
            """
            INSERT INTO logged_model_metrics (model_number, metric_key, run_id, dataset_name, dataset_digest, step,
                logged_at, value, is_nan) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)
            ON CONFLICT (model_number, metric_key, run_id, dataset_name, dataset_digest) DO UPDATE SET
                step = excluded.step, logged_at = excluded.logged_at, value = excluded.value, is_nan = excluded.is_nan
            WHERE (excluded.step, excluded.logged_at, excluded.value) > (logged_model_metrics.step,
                logged_model_metrics.logged_at, logged_model_metrics.value)
            """, .int(number), .text(metric.key), .text(run.id), .text(metric.datasetName ?? ""),
            .text(metric.datasetDigest ?? ""), .int(point.step), .int(point.timestamp), .double(point.value),
            .bool(point.isNaN))
    }
}

/// A point in the form of its row: NaN as a flag beside 0, infinities as the greatest finite doubles.
private struct StoredPoint: Comparable {
    let step: Int
    let timestamp: Int
    let value: Double
    let isNaN: Bool

    init(_ point: MetricPoint) {
        step = point.step
        timestamp = point.timestampMilliseconds
        isNaN = point.value.isNaN
        let limit = Double.greatestFiniteMagnitude
        value = isNaN ? 0 : min(max(point.value, -limit), limit)
    }

    static func < (left: StoredPoint, right: StoredPoint) -> Bool {
        (left.step, left.timestamp, left.value) < (right.step, right.timestamp, right.value)
    }
}

extension TrackingStore {
    /// Appends `entry`, a JSON object, to the run's list of logged models (the tag `mlflow.log-model.history`).
    package func appendLoggedModel(runID: String, entry: [UInt8]) async throws {
        let text = String(decoding: entry, as: UTF8.self)
        let key = "mlflow.log-model.history"
        try await write { connection in
            let run = try Self.activeRun(runID, connection)
            let old = try connection.first(
                "SELECT tag_value FROM run_tags WHERE run_number = ? AND tag_key = ?", .int(run.number), .text(key)
            ) { $0.text(0) }
            let list = old.flatMap { $0.hasSuffix("}]") ? "\($0.dropLast()), \(text)]" : nil } ?? "[\(text)]"
            guard list.unicodeScalars.count <= TrackingLimits.tagCharactersMax else {
                throw TrackingError.invalid(
                    "The run's list of logged models exceeds \(TrackingLimits.tagCharactersMax) characters: log fewer models to one run."
                )
            }
            try Self.setTag(KeyText(key: key, value: list), run.number, connection)
        }
    }
}
