import Database

extension TrackingStore {
    /// Records data sets and logged models that a run read.
    package func logInputs(runID: String, datasets: [DatasetInput], modelIDs: [String]) async throws {
        guard datasets.count <= TrackingLimits.datasetsPerCallMax else {
            throw TrackingError.invalid(
                "At most \(TrackingLimits.datasetsPerCallMax) datasets can be logged in one call.")
        }
        for dataset in datasets { try Self.check(dataset) }
        try await write { connection in
            let run = try Self.activeRun(runID, connection)
            for dataset in datasets { try Self.logDataset(dataset, run, connection) }
            for model in modelIDs { try Self.logModel(model, "input", 0, run, connection) }
        }
    }

    /// Records logged models that a run made.
    package func logOutputs(runID: String, models: [ModelOutput]) async throws {
        try await write { connection in
            let run = try Self.activeRun(runID, connection)
            for model in models { try Self.logModel(model.modelID, "output", model.step, run, connection) }
        }
    }

    /// The data sets that runs of the given experiments read, at most 1000.
    package func datasetSummaries(experimentIDs: [String]) async throws -> [DatasetSummary] {
        let experiments = try experimentIDs.map(Self.experimentNumber)
        return try await read { connection in
            try experiments.flatMap { experiment in
                try connection.query(
                    """
                    SELECT DISTINCT s.name, s.digest, t.tag_value FROM datasets s
                    JOIN run_datasets d ON d.dataset_number = s.dataset_number
                    LEFT JOIN run_dataset_tags t ON t.run_number = d.run_number AND t.dataset_number = s.dataset_number
                        AND t.tag_key = 'mlflow.data.context'
                    WHERE s.experiment_id = ? ORDER BY s.name, s.digest LIMIT 1000
                    """, .int(experiment)
                ) {
                    DatasetSummary(
                        experimentID: experiment, name: $0.text(0), digest: $0.text(1), context: $0.optionalText(2))
                }
            }
        }
    }

    static func datasets(_ runNumber: Int, _ connection: DatabaseConnection) throws -> [DatasetInput] {
        try connection.query(
            """
            SELECT s.dataset_number, s.name, s.digest, s.source_type, s.source, s.schema_text, s.profile_text
            FROM run_datasets d JOIN datasets s ON s.dataset_number = d.dataset_number WHERE d.run_number = ?
            """, .int(runNumber)
        ) { row in
            DatasetInput(
                name: row.text(1), digest: row.text(2), sourceType: row.text(3), source: row.text(4),
                schema: row.optionalText(5), profile: row.optionalText(6),
                tags: try connection.query(
                    "SELECT tag_key, tag_value FROM run_dataset_tags WHERE run_number = ? AND dataset_number = ?",
                    .int(runNumber), .int(row.int(0)), row: keyText))
        }
    }

    private static func logDataset(_ dataset: DatasetInput, _ run: RunInformation, _ connection: DatabaseConnection)
        throws
    {
        try connection.execute(
            """
            INSERT INTO datasets (experiment_id, name, digest, source_type, source, schema_text, profile_text)
            VALUES (?, ?, ?, ?, ?, ?, ?) ON CONFLICT DO NOTHING
            """, .int(run.experimentID), .text(dataset.name), .text(dataset.digest), .text(dataset.sourceType),
            .text(dataset.source), .optional(dataset.schema), .optional(dataset.profile))
        let number =
            try connection.first(
                "SELECT dataset_number FROM datasets WHERE experiment_id = ? AND name = ? AND digest = ?",
                .int(run.experimentID), .text(dataset.name), .text(dataset.digest)
            ) { $0.int(0) } ?? 0
        try connection.execute(
            "INSERT INTO run_datasets (run_number, dataset_number) VALUES (?, ?) ON CONFLICT DO NOTHING",
            .int(run.number), .int(number))
        for tag in dataset.tags {
            try connection.execute(
                """
                INSERT INTO run_dataset_tags (run_number, dataset_number, tag_key, tag_value) VALUES (?, ?, ?, ?)
                ON CONFLICT (run_number, dataset_number, tag_key) DO UPDATE SET tag_value = excluded.tag_value
                """, .int(run.number), .int(number), .text(tag.key), .text(tag.value))
        }
    }

    private static func logModel(
        _ id: String, _ direction: String, _ step: Int, _ run: RunInformation, _ connection: DatabaseConnection
    ) throws {
        try connection.execute(
            """
            INSERT INTO run_models (run_number, direction, model_id, step) VALUES (?, ?, ?, ?)
            ON CONFLICT (run_number, direction, model_id) DO UPDATE SET step = excluded.step
            """, .int(run.number), .text(direction), .text(id), .int(step))
    }

    /// Throws when a text of a data set is longer than `limit` bytes.
    static func checkDatasetText(_ text: String?, _ limit: Int, _ what: String) throws(TrackingError) {
        guard let text, text.utf8.count > limit else { return }
        throw .invalid("Dataset \(what) exceeds the maximum length of \(limit)")
    }

    private static func check(_ dataset: DatasetInput) throws(TrackingError) {
        guard !dataset.name.isEmpty, !dataset.digest.isEmpty, !dataset.sourceType.isEmpty, !dataset.source.isEmpty
        else {
            throw .invalid("A dataset needs the fields name, digest, source_type and source.")
        }
        try checkDatasetText(dataset.name, TrackingLimits.datasetNameBytesMax, "name")
        try checkDatasetText(dataset.digest, TrackingLimits.datasetDigestBytesMax, "digest")
        try checkDatasetText(dataset.source, 65_535, "source")
        try checkDatasetText(dataset.schema, 1_048_575, "schema")
        try checkDatasetText(dataset.profile, 16_777_215, "profile")
        for tag in dataset.tags {
            try checkDatasetText(tag.key, 255, "tag key")
            try checkDatasetText(tag.value, 500, "tag value")
        }
    }
}
