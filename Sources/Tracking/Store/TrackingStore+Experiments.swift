import Bytes
import Database

extension TrackingStore {
    /// Makes an experiment and returns its number.
    ///
    /// Throws `.resourceAlreadyExists` when the name is taken, also by a deleted experiment.
    package func createExperiment(name: String, artifactLocation: String?, tags: [KeyText]) async throws -> Int {
        try Self.checkExperimentName(name)
        if let artifactLocation, !artifactLocation.isEmpty {
            try ArtifactLocation.check(artifactLocation, "artifact location")
        }
        for tag in tags { try Self.checkExperimentTag(tag) }
        let root = artifactRoot
        return try await write { connection in
            try Self.requireFreeName(name, connection)
            let now = Self.nowMilliseconds
            let id = try connection.first("SELECT MAX(experiment_id) + 1 FROM experiments") { $0.int(0) } ?? 1
            let location =
                artifactLocation.flatMap { $0.isEmpty ? nil : $0 } ?? ArtifactLocation.child(of: root, "\(id)")
            try connection.execute(
                """
                INSERT INTO experiments (experiment_id, name, artifact_location, lifecycle_stage, creation_time,
                    last_update_time) VALUES (?, ?, ?, 'active', ?, ?)
                """, .int(id), .text(name), .text(location), .int(now), .int(now))
            for tag in tags { try Self.setExperimentTag(tag, id, connection) }
            return id
        }
    }

    package func experiment(id: String) async throws -> Experiment {
        let number = try Self.experimentNumber(id)
        return try await read { try Self.experiment(number, $0) }
    }

    /// The experiment called `name`, deleted or not.
    package func experiment(name: String) async throws -> Experiment {
        try await read { connection in
            guard
                let id = try connection.first(
                    "SELECT experiment_id FROM experiments WHERE name = ?", .text(name),
                    row: {
                        $0.int(0)
                    })
            else { throw TrackingError.missing("Could not find experiment with name '\(NameRules.abbreviated(name))'") }
            return try Self.experiment(id, connection)
        }
    }

    package func renameExperiment(id: String, to name: String) async throws {
        let number = try Self.experimentNumber(id)
        try Self.checkExperimentName(name)
        try await write { connection in
            let experiment = try Self.experiment(number, connection)
            guard experiment.lifecycleStage == .active else {
                throw TrackingError.invalid("Cannot rename a non-active experiment: restore \(number) first.")
            }
            if ExactText(experiment.name) != ExactText(name) { try Self.requireFreeName(name, connection) }
            try connection.execute(
                "UPDATE experiments SET name = ?, last_update_time = ? WHERE experiment_id = ?", .text(name),
                .int(Self.nowMilliseconds), .int(number))
        }
    }

    /// Moves an experiment and its active runs to the bin.
    package func deleteExperiment(id: String) async throws {
        try await setStage(of: try Self.experimentNumber(id), from: .active, to: .deleted)
    }

    /// Brings an experiment back, with the runs that were deleted together with it.
    package func restoreExperiment(id: String) async throws {
        try await setStage(of: try Self.experimentNumber(id), from: .deleted, to: .active)
    }

    private func setStage(of number: Int, from old: LifecycleStage, to new: LifecycleStage) async throws {
        try await write { connection in
            let experiment = try Self.experiment(number, connection)
            guard experiment.lifecycleStage == old else {
                throw TrackingError.missing(
                    "No Experiment with id=\(number) exists in the '\(old.rawValue)' state: it is \(experiment.lifecycleStage.rawValue)."
                )
            }
            let now = Self.nowMilliseconds
            if new == .deleted {
                try connection.execute(
                    """
                    UPDATE runs SET lifecycle_stage = 'deleted', deleted_time = ?
                    WHERE experiment_id = ? AND lifecycle_stage = 'active'
                    """, .int(now), .int(number))
            } else {
                try connection.execute(
                    """
                    UPDATE runs SET lifecycle_stage = 'active', deleted_time = NULL
                    WHERE experiment_id = ? AND deleted_time = ?
                    """, .int(number), .int(experiment.lastUpdateMilliseconds))
            }
            try connection.execute(
                "UPDATE experiments SET lifecycle_stage = ?, last_update_time = ? WHERE experiment_id = ?",
                .text(new.rawValue), .int(now), .int(number))
        }
    }

    package func setExperimentTag(id: String, tag: KeyText) async throws {
        let number = try Self.experimentNumber(id)
        try Self.checkExperimentTag(tag)
        try await write { connection in
            try Self.requireActiveExperiment(number, connection)
            try Self.setExperimentTag(tag, number, connection)
            try connection.execute(
                "UPDATE experiments SET last_update_time = ? WHERE experiment_id = ?", .int(Self.nowMilliseconds),
                .int(number))
        }
    }

    package func deleteExperimentTag(id: String, key: String) async throws {
        let number = try Self.experimentNumber(id)
        try await write { connection in
            try Self.requireActiveExperiment(number, connection)
            let count = try connection.execute(
                "DELETE FROM experiment_tags WHERE experiment_id = ? AND tag_key = ?", .int(number), .text(key))
            guard count > 0 else {
                throw TrackingError.missing(
                    "No tag with name: \(NameRules.abbreviated(key)) in experiment with id \(number)")
            }
        }
    }

    /// Searches experiments; newest first unless `orderBy` says otherwise.
    package func searchExperiments(
        filter: String, view: ViewType, orderBy: [String], countMax: Int, pageToken: String?
    ) async throws -> Page<Experiment> {
        try await read { connection in
            let token = try Self.token(pageToken, "SELECT MAX(experiment_id) FROM experiments", connection)
            var query = SearchQuery(.experiments)
            Self.require(view, &query)
            if let ceiling = token.ceiling { query.require("b.experiment_id <= ?", [.int(ceiling)]) }
            try query.require(filter: filter)
            try query.order(by: orderBy.isEmpty ? ["creation_time DESC"] : orderBy)
            let (sql, values) = query.select(
                "b.experiment_id", tieBreak: "b.experiment_id DESC", limit: countMax + 1, offset: token.offset)
            let ids = try connection.query(sql, values: values) { $0.int(0) }
            let experiments = try ids.prefix(countMax).map { try Self.experiment($0, connection) }
            return Page(elements: experiments, nextPageToken: token.next(found: ids.count, countMax: countMax))
        }
    }

    static func require(_ view: ViewType, _ query: inout SearchQuery) {
        switch view {
        case .activeOnly: query.require("b.lifecycle_stage = 'active'")
        case .deletedOnly: query.require("b.lifecycle_stage = 'deleted'")
        case .all: break
        }
    }

    /// The token of a page: read from `text`, or a first page below the number that `ceilingQuery` gives.
    static func token(_ text: String?, _ ceilingQuery: String?, _ connection: DatabaseConnection) throws -> PageToken {
        if let text, !text.isEmpty { return try PageToken(text) }
        let ceiling = try ceilingQuery.flatMap { query in try connection.first(query) { $0.optionalInt(0) ?? 0 } }
        return PageToken(offset: 0, ceiling: ceiling)
    }

    /// The number behind an experiment id. Throws `.resourceDoesNotExist` for one that cannot be.
    package static func experimentNumber(_ id: String) throws(TrackingError) -> Int {
        guard let number = Int(id), number >= 0, "\(number)" == id else {
            throw .missing("No Experiment with id=\(NameRules.abbreviated(id)) exists")
        }
        return number
    }

    static func experiment(_ number: Int, _ connection: DatabaseConnection) throws -> Experiment {
        let tags = try connection.query(
            "SELECT tag_key, tag_value FROM experiment_tags WHERE experiment_id = ?", .int(number), row: keyText)
        let found = try connection.first(
            """
            SELECT name, artifact_location, lifecycle_stage, creation_time, last_update_time FROM experiments
            WHERE experiment_id = ?
            """, .int(number)
        ) { row in
            Experiment(
                id: number, name: row.text(0), artifactLocation: row.text(1),
                lifecycleStage: LifecycleStage(rawValue: row.text(2)) ?? .active, creationMilliseconds: row.int(3),
                lastUpdateMilliseconds: row.int(4), tags: tags)
        }
        guard let found else { throw TrackingError.missing("No Experiment with id=\(number) exists") }
        return found
    }

    static func requireActiveExperiment(_ number: Int, _ connection: DatabaseConnection) throws {
        let stage = try connection.first(
            "SELECT lifecycle_stage FROM experiments WHERE experiment_id = ?", .int(number)
        ) { $0.text(0) }
        guard let stage else { throw TrackingError.missing("No Experiment with id=\(number) exists") }
        guard stage == "active" else {
            throw TrackingError.invalid(
                "The experiment \(number) must be in the 'active' state. Current state is \(stage).")
        }
    }

    private static func requireFreeName(_ name: String, _ connection: DatabaseConnection) throws {
        let stage = try connection.first("SELECT lifecycle_stage FROM experiments WHERE name = ?", .text(name)) {
            $0.text(0)
        }
        guard let stage else { return }
        throw TrackingError(
            .resourceAlreadyExists,
            "Experiment(name=\(NameRules.abbreviated(name))) already exists"
                + (stage == "deleted"
                    ? " in deleted state: restore it, or choose another name." : ": choose another name."))
    }

    private static func setExperimentTag(_ tag: KeyText, _ number: Int, _ connection: DatabaseConnection) throws {
        try connection.execute(
            """
            INSERT INTO experiment_tags (experiment_id, tag_key, tag_value) VALUES (?, ?, ?)
            ON CONFLICT (experiment_id, tag_key) DO UPDATE SET tag_value = excluded.tag_value
            """, .int(number), .text(tag.key), .text(tag.value))
    }

    private static func checkExperimentName(_ name: String) throws(TrackingError) {
        guard !name.isEmpty else { throw .invalid("Invalid experiment name: '': it must not be empty.") }
        guard name.unicodeScalars.count <= TrackingLimits.experimentNameCharactersMax else {
            throw .invalid(
                "'name' exceeds the maximum length of \(TrackingLimits.experimentNameCharactersMax) characters")
        }
        guard !name.utf8.contains(where: { $0 < 0x20 || $0 == 0x7f }) else {
            throw .invalid("Invalid experiment name: it must not hold control characters.")
        }
    }

    private static func checkExperimentTag(_ tag: KeyText) throws(TrackingError) {
        try NameRules.checkKey(tag.key, "tag")
        guard tag.value.unicodeScalars.count <= TrackingLimits.experimentTagCharactersMax else {
            throw .invalid(
                "Tag value exceeds the maximum length of \(TrackingLimits.experimentTagCharactersMax) characters: key '\(NameRules.abbreviated(tag.key))'."
            )
        }
    }
}

extension PageToken {
    /// The token of the page after one that held `found` rows of `countMax + 1` asked for; nil at the end.
    func next(found: Int, countMax: Int) -> String? {
        found > countMax ? PageToken(offset: offset + countMax, ceiling: ceiling).text : nil
    }
}
