// What each kind of search may name, and where it stands in the tables. Keys reach SQL only through these tables of
// columns or as bound values.

/// One kind of search.
struct SearchDialect: Sendable {
    /// The rows searched, with alias `b`.
    let base: String
    /// Attribute name to column of `b`, for texts.
    let textAttributes: [String: String]
    /// Attribute name to column of `b`, for whole numbers.
    let numberAttributes: [String: String]
    /// Attributes that take IN and NOT IN.
    let listAttributes: Set<String>
    /// Attributes that may order, beside the ones above.
    let orderOnlyAttributes: [String: String]
    /// Ties a detail row `x` to its base row `b`.
    let join: String
    let metricTable: String?
    /// Columns that tell and order several rows of `metricTable` with one key; empty where there is one at most.
    var metricSeries: [String] = []
    let parameterTable: String?
    let tagTable: String
    let hasDatasets: Bool
    let tagsMayBeNull: Bool

    static let runs = SearchDialect(
        base: "runs b",
        textAttributes: [
            "run_id": "b.run_id", "run_name": "b.run_name", "run name": "b.run_name", "Run name": "b.run_name",
            "Run Name": "b.run_name", "status": "b.status", "user_id": "b.user_id", "artifact_uri": "b.artifact_uri",
        ],
        numberAttributes: [
            "start_time": "b.start_time", "end_time": "b.end_time", "created": "b.start_time",
            "Created": "b.start_time",
        ],
        listAttributes: ["run_id"], orderOnlyAttributes: [:], join: "x.run_number = b.run_number",
        metricTable: "latest_metrics", parameterTable: "params", tagTable: "run_tags", hasDatasets: true,
        tagsMayBeNull: true)

    static let experiments = SearchDialect(
        base: "experiments b", textAttributes: ["name": "b.name", "experiment_id": "CAST(b.experiment_id AS TEXT)"],
        numberAttributes: ["creation_time": "b.creation_time", "last_update_time": "b.last_update_time"],
        listAttributes: ["experiment_id"], orderOnlyAttributes: ["experiment_id": "b.experiment_id"],
        join: "x.experiment_id = b.experiment_id", metricTable: nil, parameterTable: nil, tagTable: "experiment_tags",
        hasDatasets: false, tagsMayBeNull: true)

    static let registeredModels = SearchDialect(
        base: "registered_models b", textAttributes: ["name": "b.name"], numberAttributes: [:],
        listAttributes: ["name"],
        orderOnlyAttributes: [
            "creation_timestamp": "b.creation_time", "last_updated_timestamp": "b.last_update_time",
            "timestamp": "b.last_update_time",
        ],
        join: "x.name = b.name", metricTable: nil, parameterTable: nil, tagTable: "registered_model_tags",
        hasDatasets: false, tagsMayBeNull: false)

    static let modelVersions = SearchDialect(
        base: "model_versions b",
        textAttributes: ["name": "b.name", "run_id": "b.run_id", "source_path": "b.source"],
        numberAttributes: ["version_number": "b.version"], listAttributes: ["name", "run_id"],
        orderOnlyAttributes: [
            "creation_timestamp": "b.creation_time", "last_updated_timestamp": "b.last_update_time",
        ],
        join: "x.name = b.name AND x.version = b.version", metricTable: nil, parameterTable: nil,
        tagTable: "model_version_tags", hasDatasets: false, tagsMayBeNull: false)

    static let loggedModels = SearchDialect(
        base: "logged_models b",
        textAttributes: [
            "name": "b.name", "model_id": "b.model_id", "model_type": "b.model_type",
            "source_run_id": "b.source_run_id", "status": statusName,
        ],
        numberAttributes: [
            "creation_timestamp": "b.creation_time", "creation_time": "b.creation_time",
            "last_updated_timestamp": "b.last_update_time",
        ],
        listAttributes: ["name", "model_id", "model_type", "source_run_id", "status"], orderOnlyAttributes: [:],
        join: "x.model_number = b.model_number", metricTable: "logged_model_metrics",
        metricSeries: ["logged_at", "step", "run_id", "dataset_name", "dataset_digest"],
        parameterTable: "logged_model_params", tagTable: "logged_model_tags", hasDatasets: false, tagsMayBeNull: true)

    private static let statusName =
        "CASE b.status WHEN 1 THEN 'PENDING' WHEN 2 THEN 'READY' WHEN 3 THEN 'UPLOAD_FAILED' ELSE 'UNSPECIFIED' END"
}
