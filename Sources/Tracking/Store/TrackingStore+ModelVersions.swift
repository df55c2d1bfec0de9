import Bytes
import Database

extension TrackingStore {
    /// Adds the next version of a model. Its number is one above the highest ever given.
    ///
    /// A source in a local folder has to lie in the artifact folder of `runID` or `modelID`.
    package func createModelVersion(
        name: String, source: String, runID: String?, runLink: String?, description: String?, modelID: String?,
        tags: [KeyText]
    ) async throws -> ModelVersion {
        try Self.checkDescription(description)
        for tag in tags { try Self.checkRegistryTag(tag) }
        let isPrompt = tags.last { $0.key == "mlflow.prompt.is_prompt" }?.value.lowercased() == "true"
        try ArtifactLocation.check(source, "model version source")
        return try await write { connection in
            if isPrompt {
                guard !source.holds("/"), !source.holds("\\"), ArtifactLocation.scheme(of: source).isEmpty else {
                    throw TrackingError.invalid(
                        "Invalid prompt source: a prompt has no artifacts, so it cannot name a path.")
                }
            } else {
                try Self.checkLocalSource(source, runID, modelID, connection)
            }
            guard
                let last = try connection.first(
                    "SELECT version_last FROM registered_models WHERE name = ?", .text(name), row: { $0.int(0) })
            else { throw Self.noModel(name) }
            let version = last + 1
            let run = try runID.flatMap { $0.isEmpty ? nil : $0 } ?? Self.sourceRun(source, modelID, connection)
            let now = DatabaseValue.int(Self.nowMilliseconds)
            try connection.execute(
                "UPDATE registered_models SET version_last = ?, last_update_time = ? WHERE name = ?", .int(version),
                now,
                .text(name))
            try connection.execute(
                """
                INSERT INTO model_versions (name, version, creation_time, last_update_time, description, stage, source,
                    run_id, run_link, model_id) VALUES (?, ?, ?, ?, ?, 'None', ?, ?, ?, ?)
                """, .text(name), .int(version), now, now, .optional(description), .text(source), .optional(run),
                .optional(runLink), .optional(modelID))
            for tag in tags { try Self.setVersionTag(tag, name, version, connection) }
            if let modelID, !isPrompt { try Self.noteRegistration(name, version, modelID, connection) }
            return try Self.modelVersion(name, version, connection)
        }
    }

    package func modelVersion(name: String, version: Int) async throws -> ModelVersion {
        try await read { try Self.modelVersion(name, version, $0) }
    }

    package func updateModelVersion(name: String, version: Int, description: String?) async throws -> ModelVersion {
        try Self.checkDescription(description)
        return try await write { connection in
            _ = try Self.modelVersion(name, version, connection)
            try connection.execute(
                "UPDATE model_versions SET description = ?, last_update_time = ? WHERE name = ? AND version = ?",
                .optional(description), .int(Self.nowMilliseconds), .text(name), .int(version))
            return try Self.modelVersion(name, version, connection)
        }
    }

    /// Moves a version to a stage; with `archiveOthers` the versions that held it are archived.
    package func transitionModelVersion(
        name: String, version: Int, stage: String, archiveOthers: Bool
    ) async throws -> ModelVersion {
        guard let target = ModelStage(name: stage) else {
            throw TrackingError.invalid(
                "Invalid Model Version stage: \(NameRules.abbreviated(stage)). Value must be one of None, Staging, Production, Archived."
            )
        }
        guard !archiveOthers || target == .staging || target == .production else {
            throw TrackingError.invalid(
                "Model version transition cannot archive existing model versions because '\(target.rawValue)' is not an Active stage. Valid stages are Staging and Production"
            )
        }
        return try await write { connection in
            _ = try Self.modelVersion(name, version, connection)
            let now = DatabaseValue.int(Self.nowMilliseconds)
            if archiveOthers {
                try connection.execute(
                    """
                    UPDATE model_versions SET stage = 'Archived', last_update_time = ?
                    WHERE name = ? AND stage = ? AND version <> ?
                    """, now, .text(name), .text(target.rawValue), .int(version))
            }
            try connection.execute(
                "UPDATE model_versions SET stage = ?, last_update_time = ? WHERE name = ? AND version = ?",
                .text(target.rawValue), now, .text(name), .int(version))
            try connection.execute(
                "UPDATE registered_models SET last_update_time = ? WHERE name = ?", now, .text(name))
            return try Self.modelVersion(name, version, connection)
        }
    }

    /// Deletes a version with its tags and aliases; its number stays used.
    package func deleteModelVersion(name: String, version: Int) async throws {
        try await write { connection in
            _ = try Self.modelVersion(name, version, connection)
            try connection.execute(
                "DELETE FROM model_versions WHERE name = ? AND version = ?", .text(name), .int(version))
            try connection.execute(
                "UPDATE registered_models SET last_update_time = ? WHERE name = ?", .int(Self.nowMilliseconds),
                .text(name))
        }
    }

    /// The latest version of each of `stages`; of every stage when there is none.
    package func latestVersions(name: String, stages: [String]) async throws -> [ModelVersion] {
        let wanted = try stages.map { stage in
            guard let known = ModelStage(name: stage) else {
                throw TrackingError.invalid(
                    "Invalid Model Version stage: \(NameRules.abbreviated(stage)). Value must be one of None, Staging, Production, Archived."
                )
            }
            return known
        }
        let model = try await registeredModel(name: name)
        return wanted.isEmpty ? model.latestVersions : model.latestVersions.filter { wanted.contains($0.stage) }
    }

    package func searchModelVersions(
        filter: String, orderBy: [String], countMax: Int, pageToken: String?
    ) async throws -> Page<ModelVersion> {
        try await read { connection in
            let token = try Self.token(pageToken, "SELECT MAX(creation_time) FROM model_versions", connection)
            var query = SearchQuery(.modelVersions)
            if let ceiling = token.ceiling { query.require("b.creation_time <= ?", [.int(ceiling)]) }
            try query.require(filter: filter, hidingPromptsOf: "registered_model_tags")
            try query.order(by: orderBy)
            let (sql, values) = query.select(
                "b.name, b.version",
                tieBreak: (orderBy.isEmpty ? "b.last_update_time DESC, " : "") + "b.name, b.version DESC",
                limit: countMax + 1, offset: token.offset)
            let found = try connection.query(sql, values: values) { (name: $0.text(0), version: $0.int(1)) }
            let versions = try found.prefix(countMax).map { try Self.modelVersion($0.name, $0.version, connection) }
            return Page(elements: versions, nextPageToken: token.next(found: found.count, countMax: countMax))
        }
    }

    package func setModelVersionTag(name: String, version: Int, tag: KeyText) async throws {
        try Self.checkRegistryTag(tag)
        try await write { connection in
            _ = try Self.modelVersion(name, version, connection)
            try Self.setVersionTag(tag, name, version, connection)
        }
    }

    /// Deletes a tag; one that is not there is no error.
    package func deleteModelVersionTag(name: String, version: Int, key: String) async throws {
        try NameRules.checkKey(key, "tag")
        try await write { connection in
            _ = try Self.modelVersion(name, version, connection)
            try connection.execute(
                "DELETE FROM model_version_tags WHERE name = ? AND version = ? AND tag_key = ?", .text(name),
                .int(version), .text(key))
        }
    }

    /// Where the files of a version stand: its source, or the artifacts of the logged model that the source names.
    package func downloadLocation(name: String, version: Int) async throws -> String {
        try await read { connection in
            var source = try Self.modelVersion(name, version, connection).source
            // A copied version names the one it came from, and that one a logged model.
            for _ in 0..<8 where source.hasPrefix("models:/") {
                let parts = source.dropFirst("models:/".count).pieces(by: "/").map(String.init)
                if parts.count == 2, let number = Int(parts[1]) {
                    source = try Self.modelVersion(parts[0], number, connection).source
                } else {
                    return try connection.first(
                        "SELECT artifact_location FROM logged_models WHERE model_id = ?", .text(parts.first ?? "")
                    ) { $0.text(0) } ?? source
                }
            }
            return source
        }
    }

    /// The run that made the logged model behind a version: clients of the 3.x series name only the model.
    private static func sourceRun(
        _ source: String, _ modelID: String?, _ connection: DatabaseConnection
    ) throws -> String? {
        let named = source.hasPrefix("models:/m-") ? String(source.dropFirst("models:/".count)) : nil
        guard let id = modelID.flatMap({ $0.isEmpty ? nil : $0 }) ?? named else { return nil }
        return try connection.first("SELECT source_run_id FROM logged_models WHERE model_id = ?", .text(id)) {
            $0.optionalText(0)
        } ?? nil
    }

    static func modelVersion(_ name: String, _ version: Int, _ connection: DatabaseConnection) throws -> ModelVersion {
        guard !name.isEmpty else { throw TrackingError.invalid("Registered model name cannot be empty.") }
        let key: [DatabaseValue] = [.text(name), .int(version)]
        let found = try connection.first(
            """
            SELECT creation_time, last_update_time, description, user_id, stage, source, run_id, run_link, model_id
            FROM model_versions WHERE name = ? AND version = ?
            """, key[0], key[1]
        ) { row in
            ModelVersion(
                name: name, version: version, creationMilliseconds: row.int(0), lastUpdateMilliseconds: row.int(1),
                description: row.optionalText(2), user: row.optionalText(3),
                stage: ModelStage(rawValue: row.text(4)) ?? .none,
                source: row.text(5), runID: row.optionalText(6), runLink: row.optionalText(7),
                modelID: row.optionalText(8),
                tags: [], aliases: [])
        }
        guard var found else {
            throw TrackingError.missing(
                "Model Version (name=\(NameRules.abbreviated(name)), version=\(version)) not found")
        }
        found.tags = try connection.query(
            "SELECT tag_key, tag_value FROM model_version_tags WHERE name = ? AND version = ?", values: key,
            row: keyText)
        found.aliases = try connection.query(
            "SELECT alias FROM registered_model_aliases WHERE name = ? AND version = ?", values: key
        ) { $0.text(0) }
        return found
    }

    private static func setVersionTag(
        _ tag: KeyText, _ name: String, _ version: Int, _ connection: DatabaseConnection
    ) throws {
        try connection.execute(
            """
            INSERT INTO model_version_tags (name, version, tag_key, tag_value) VALUES (?, ?, ?, ?)
            ON CONFLICT (name, version, tag_key) DO UPDATE SET tag_value = excluded.tag_value
            """, .text(name), .int(version), .text(tag.key), .text(tag.value))
    }

    /// Refuses a local folder that is not the artifact folder of the run or logged model, or below it.
    private static func checkLocalSource(
        _ source: String, _ runID: String?, _ modelID: String?, _ connection: DatabaseConnection
    ) throws {
        guard ArtifactLocation.isLocal(source) else { return }
        var folders: [String] = []
        if let modelID, !modelID.isEmpty {
            folders += try connection.query(
                "SELECT artifact_location FROM logged_models WHERE model_id = ?", .text(modelID)
            ) { $0.text(0) }
        }
        if let runID, !runID.isEmpty { folders.append(try information(runID, connection).artifactLocation) }
        let path = plainPath(source)
        guard folders.contains(where: { ArtifactLocation.isLocal($0) && isBelow(path, plainPath($0)) }) else {
            throw TrackingError.invalid(
                "Invalid model version source: '\(NameRules.abbreviated(source))'. To use a local path as a model version source, "
                    + "the run_id request parameter has to be specified and the local path has to be contained within the artifact directory of the run specified by the run_id."
            )
        }
    }

    private static func plainPath(_ location: String) -> String {
        guard ArtifactLocation.scheme(of: location) == "file" else { return location }
        let rest = location.dropFirst("file:".count)
        return rest.hasPrefix("///") ? String(rest.dropFirst(2)) : String(rest)
    }

    private static func isBelow(_ path: String, _ folder: String) -> Bool {
        path == folder || path.starts(withBytesOf: folder.hasSuffix("/") ? folder : folder + "/")
    }

    /// Leaves on the logged model which versions it was registered as, in the tag that clients read.
    private static func noteRegistration(
        _ name: String, _ version: Int, _ modelID: String, _ connection: DatabaseConnection
    ) throws {
        guard
            let number = try connection.first(
                "SELECT model_number FROM logged_models WHERE model_id = ?", .text(modelID), row: { $0.int(0) })
        else { return }
        let key = "mlflow.modelVersions"
        let old = try connection.first(
            "SELECT tag_value FROM logged_model_tags WHERE model_number = ? AND tag_key = ?", .int(number), .text(key)
        ) { $0.text(0) }
        let backslash = UInt8(ascii: "\\")
        let quoted = name.utf8.flatMap { "\"\\".utf8.contains($0) ? [backslash, $0] : [$0] }
        let entry = "{\"name\": \"\(String(utf8: quoted))\", \"version\": \(version)}"
        let list =
            old.flatMap { $0.hasSuffix("]") && $0.count > 2 ? "\($0.dropLast()), \(entry)]" : nil } ?? "[\(entry)]"
        try setLoggedModelTag(KeyText(key: key, value: list), number, connection)
    }
}
