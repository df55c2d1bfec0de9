import Bytes
import Database

/// The tag that holds a run's name; kept equal to it.
private let runNameTag = "mlflow.runName"

extension TrackingStore {
    /// Starts a run in an active experiment. An empty `name` becomes a made-up one.
    package func createRun(
        experimentID: String, user: String, name: String, startMilliseconds: Int, tags: [KeyText]
    ) async throws -> Run {
        let experiment = try Self.experimentNumber(experimentID)
        for tag in tags { try NameRules.checkKey(tag.key, "tag") }
        let tagged = tags.last { $0.key == runNameTag }?.value ?? ""
        guard name.isEmpty || tagged.isEmpty || name == tagged else {
            throw TrackingError.invalid(
                "Both 'run_name' argument and 'mlflow.runName' tag are specified, but with different values (run_name='\(NameRules.abbreviated(name))', mlflow.runName='\(NameRules.abbreviated(tagged))')."
            )
        }
        let chosen = !name.isEmpty ? name : !tagged.isEmpty ? tagged : RunName.random()
        return try await write { connection in
            try Self.requireActiveExperiment(experiment, connection)
            let id = Randomness.hexID()
            let root =
                try connection.first(
                    "SELECT artifact_location FROM experiments WHERE experiment_id = ?", .int(experiment)
                ) { $0.text(0) } ?? ""
            let location = ArtifactLocation.child(of: ArtifactLocation.child(of: root, id), "artifacts")
            try connection.execute(
                """
                INSERT INTO runs (run_id, experiment_id, run_name, user_id, status, start_time, lifecycle_stage,
                    artifact_uri) VALUES (?, ?, ?, ?, 'RUNNING', ?, 'active', ?)
                """, .text(id), .int(experiment), .text(chosen), .text(user), .int(startMilliseconds), .text(location))
            let number = try Self.information(id, connection).number
            try Self.setTags(tags + [KeyText(key: runNameTag, value: chosen)], number, connection)
            return try Self.run(id, connection)
        }
    }

    package func run(id: String) async throws -> Run {
        try await read { try Self.run(id, $0) }
    }

    package func runInformation(id: String) async throws -> RunInformation {
        try await read { try Self.information(id, $0) }
    }

    /// Changes what is not nil. Throws when the run is deleted.
    package func updateRun(
        id: String, status: RunStatus?, endMilliseconds: Int?, name: String?
    ) async throws -> RunInformation {
        try await write { connection in
            let run = try Self.activeRun(id, connection)
            if let status {
                try connection.execute(
                    "UPDATE runs SET status = ? WHERE run_number = ?", .text(status.rawValue), .int(run.number))
            }
            if let endMilliseconds {
                try connection.execute(
                    "UPDATE runs SET end_time = ? WHERE run_number = ?", .int(endMilliseconds), .int(run.number))
            }
            if let name, !name.isEmpty {
                try Self.setTag(KeyText(key: runNameTag, value: name), run.number, connection)
            }
            return try Self.information(id, connection)
        }
    }

    package func deleteRun(id: String) async throws {
        try await write { connection in
            let run = try Self.information(id, connection)
            guard run.lifecycleStage == .active else { return }
            try connection.execute(
                "UPDATE runs SET lifecycle_stage = 'deleted', deleted_time = ? WHERE run_number = ?",
                .int(Self.nowMilliseconds), .int(run.number))
        }
    }

    package func restoreRun(id: String) async throws {
        try await write { connection in
            let run = try Self.information(id, connection)
            try connection.execute(
                "UPDATE runs SET lifecycle_stage = 'active', deleted_time = NULL WHERE run_number = ?", .int(run.number)
            )
        }
    }

    package func setTag(runID: String, tag: KeyText) async throws {
        try NameRules.checkKey(tag.key, "tag")
        try await write { connection in
            let run = try Self.activeRun(runID, connection)
            try Self.setTag(tag, run.number, connection)
        }
    }

    package func deleteTag(runID: String, key: String) async throws {
        try await write { connection in
            let run = try Self.activeRun(runID, connection)
            let count = try connection.execute(
                "DELETE FROM run_tags WHERE run_number = ? AND tag_key = ?", .int(run.number), .text(key))
            guard count > 0 else {
                throw TrackingError.missing("No tag with name: \(NameRules.abbreviated(key)) in run with id \(runID)")
            }
        }
    }

    /// Searches runs of the given experiments; newest first unless `orderBy` says otherwise.
    package func searchRuns(
        experimentIDs: [String], filter: String, view: ViewType, orderBy: [String], countMax: Int, pageToken: String?
    ) async throws -> Page<Run> {
        // An id that cannot be is no error here: it has no runs.
        let experiments = experimentIDs.compactMap { try? Self.experimentNumber($0) }
        guard !experiments.isEmpty else {
            _ = try FilterParser.clauses(filter)
            return Page(elements: [], nextPageToken: nil)
        }
        return try await read { connection in
            let token = try Self.token(pageToken, "SELECT MAX(run_number) FROM runs", connection)
            var query = SearchQuery(.runs)
            let marks = Array(repeating: "?", count: experiments.count).joined(separator: ", ")
            query.require("b.experiment_id IN (\(marks))", experiments.map(DatabaseValue.int))
            Self.require(view, &query)
            if let ceiling = token.ceiling { query.require("b.run_number <= ?", [.int(ceiling)]) }
            try query.require(filter: filter)
            try query.order(by: orderBy)
            let (sql, values) = query.select(
                "b.run_id", tieBreak: "b.start_time DESC, b.run_id", limit: countMax + 1, offset: token.offset)
            let ids = try connection.query(sql, values: values) { $0.text(0) }
            let runs = try ids.prefix(countMax).map { try Self.run($0, connection) }
            return Page(elements: runs, nextPageToken: token.next(found: ids.count, countMax: countMax))
        }
    }

    static func information(_ id: String, _ connection: DatabaseConnection) throws -> RunInformation {
        let found = try connection.first(
            """
            SELECT run_number, experiment_id, run_name, user_id, status, start_time, end_time, lifecycle_stage,
                artifact_uri FROM runs WHERE run_id = ?
            """, .text(id)
        ) { row in
            RunInformation(
                number: row.int(0), id: id, experimentID: row.int(1), name: row.text(2), user: row.text(3),
                status: RunStatus(rawValue: row.text(4)) ?? .running, startMilliseconds: row.int(5),
                endMilliseconds: row.optionalInt(6), lifecycleStage: LifecycleStage(rawValue: row.text(7)) ?? .active,
                artifactLocation: row.text(8))
        }
        guard let found else { throw TrackingError.missing("Run with id=\(NameRules.abbreviated(id)) not found") }
        return found
    }

    static func activeRun(_ id: String, _ connection: DatabaseConnection) throws -> RunInformation {
        let run = try information(id, connection)
        guard run.lifecycleStage == .active else {
            throw TrackingError.invalid("The run \(id) must be in the 'active' state. Current state is deleted.")
        }
        return run
    }

    static func run(_ id: String, _ connection: DatabaseConnection) throws -> Run {
        let information = try information(id, connection)
        let number = DatabaseValue.int(information.number)
        return Run(
            information: information,
            metrics: try connection.query(
                "SELECT metric_key, value, logged_at, step, is_nan FROM latest_metrics WHERE run_number = ?", number,
                row: metricPoint),
            parameters: try connection.query(
                "SELECT param_key, param_value FROM params WHERE run_number = ?", number, row: keyText),
            tags: try connection.query(
                "SELECT tag_key, tag_value FROM run_tags WHERE run_number = ?", number, row: keyText),
            datasets: try datasets(information.number, connection),
            modelInputs: try connection.query(
                "SELECT model_id FROM run_models WHERE run_number = ? AND direction = 'input'", number
            ) { $0.text(0) },
            modelOutputs: try connection.query(
                "SELECT model_id, step FROM run_models WHERE run_number = ? AND direction = 'output'", number
            ) { ModelOutput(modelID: $0.text(0), step: $0.int(1)) })
    }

    static func setTag(_ tag: KeyText, _ runNumber: Int, _ connection: DatabaseConnection) throws {
        try setTags([tag], runNumber, connection)
    }

    /// Sets tags, cut to their limit, the last of a key; the run's name follows its tag.
    static func setTags(_ tags: [KeyText], _ runNumber: Int, _ connection: DatabaseConnection) throws {
        var values: [ExactText: String] = [:]
        for tag in tags { values[ExactText(tag.key)] = NameRules.cut(tag.value, to: TrackingLimits.tagCharactersMax) }
        try connection.insert(
            into: "run_tags", ["run_number", "tag_key", "tag_value"],
            rows: values.map { [.int(runNumber), .text($0.key.text), .text($0.value)] },
            onConflict: "(run_number, tag_key) DO UPDATE SET tag_value = excluded.tag_value")
        if let name = values[ExactText(runNameTag)] {
            try connection.execute("UPDATE runs SET run_name = ? WHERE run_number = ?", .text(name), .int(runNumber))
        }
    }
}

/// A point from the columns key, value, timestamp, step, is_nan.
func metricPoint(_ row: borrowing Row) -> MetricPoint {
    MetricPoint(
        key: row.text(0), value: row.bool(4) ? .nan : row.double(1), timestampMilliseconds: row.int(2), step: row.int(3)
    )
}

/// Made-up names for runs that were given none.
enum RunName {
    private static let adjectives = [
        "able", "amber", "bold", "brave", "bright", "calm", "clever", "crisp", "eager", "early", "fair", "fleet",
        "gentle", "glad", "keen", "kind", "lively", "lucky", "mellow", "merry", "nimble", "proud", "quick", "quiet",
        "steady", "sunny", "swift", "tidy", "vivid", "warm", "wise", "zesty",
    ]
    private static let nouns = [
        "anchor", "barge", "beacon", "bow", "buoy", "cable", "capstan", "compass", "cove", "crane", "current", "deck",
        "dock", "ferry", "fjord", "gull", "harbour", "heron", "hull", "keel", "lantern", "mast", "otter", "pier",
        "pilot", "rudder", "sail", "schooner", "seal", "tern", "tide", "wharf",
    ]

    static func random() -> String {
        "\(adjectives.randomElement() ?? "calm")-\(nouns.randomElement() ?? "tide")-\(Int.random(in: 100...999))"
    }
}
