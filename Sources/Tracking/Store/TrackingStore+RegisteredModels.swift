import Bytes
import Database

/// Marks a registered model that holds a prompt; those are left out of a search that does not ask for them.
private let promptTag = "mlflow.prompt.is_prompt"

extension TrackingStore {
    /// Throws `.resourceAlreadyExists` when the name is taken.
    package func createRegisteredModel(name: String, description: String?, tags: [KeyText]) async throws
        -> RegisteredModel
    {
        try NameRules.checkModelName(name)
        try Self.checkDescription(description)
        for tag in tags { try Self.checkRegistryTag(tag) }
        return try await write { connection in
            try Self.requireFreeModelName(name, connection)
            let now = Self.nowMilliseconds
            try connection.execute(
                """
                INSERT INTO registered_models (name, creation_time, last_update_time, description, version_last)
                VALUES (?, ?, ?, ?, 0)
                """, .text(name), .int(now), .int(now), .optional(description))
            for tag in tags { try Self.setModelTag(tag, name, connection) }
            return try Self.registeredModel(name, connection)
        }
    }

    package func registeredModel(name: String) async throws -> RegisteredModel {
        try await read { try Self.registeredModel(name, $0) }
    }

    /// Renames a model with its versions, tags and aliases.
    package func renameRegisteredModel(name: String, to newName: String) async throws -> RegisteredModel {
        try NameRules.checkModelName(newName)
        return try await write { connection in
            _ = try Self.registeredModel(name, connection)
            if ExactText(newName) != ExactText(name) { try Self.requireFreeModelName(newName, connection) }
            let now = DatabaseValue.int(Self.nowMilliseconds)
            try connection.execute(
                "UPDATE registered_models SET name = ?, last_update_time = ? WHERE name = ?", .text(newName), now,
                .text(name))
            try connection.execute("UPDATE model_versions SET last_update_time = ? WHERE name = ?", now, .text(newName))
            return try Self.registeredModel(newName, connection)
        }
    }

    package func updateRegisteredModel(name: String, description: String?) async throws -> RegisteredModel {
        try Self.checkDescription(description)
        return try await write { connection in
            _ = try Self.registeredModel(name, connection)
            try connection.execute(
                "UPDATE registered_models SET description = ?, last_update_time = ? WHERE name = ?",
                .optional(description), .int(Self.nowMilliseconds), .text(name))
            return try Self.registeredModel(name, connection)
        }
    }

    /// Deletes a model with its versions for good.
    package func deleteRegisteredModel(name: String) async throws {
        try await write { connection in
            guard try connection.execute("DELETE FROM registered_models WHERE name = ?", .text(name)) > 0 else {
                throw Self.noModel(name)
            }
        }
    }

    package func searchRegisteredModels(
        filter: String, orderBy: [String], countMax: Int, pageToken: String?
    ) async throws -> Page<RegisteredModel> {
        try await read { connection in
            let token = try Self.token(pageToken, "SELECT MAX(creation_time) FROM registered_models", connection)
            var query = SearchQuery(.registeredModels)
            if let ceiling = token.ceiling { query.require("b.creation_time <= ?", [.int(ceiling)]) }
            try query.require(filter: filter, hidingPromptsOf: "registered_model_tags")
            try query.order(by: orderBy)
            let (sql, values) = query.select(
                "b.name", tieBreak: "b.name", limit: countMax + 1, offset: token.offset)
            let names = try connection.query(sql, values: values) { $0.text(0) }
            let models = try names.prefix(countMax).map { try Self.registeredModel($0, connection) }
            return Page(elements: models, nextPageToken: token.next(found: names.count, countMax: countMax))
        }
    }

    package func setRegisteredModelTag(name: String, tag: KeyText) async throws {
        try Self.checkRegistryTag(tag)
        try await write { connection in
            _ = try Self.registeredModel(name, connection)
            try Self.setModelTag(tag, name, connection)
        }
    }

    /// Deletes a tag; one that is not there is no error.
    package func deleteRegisteredModelTag(name: String, key: String) async throws {
        try NameRules.checkKey(key, "tag")
        try await write { connection in
            _ = try Self.registeredModel(name, connection)
            try connection.execute(
                "DELETE FROM registered_model_tags WHERE name = ? AND tag_key = ?", .text(name), .text(key))
        }
    }

    /// Points `alias` at `version`, away from the version it named before.
    package func setAlias(name: String, alias: String, version: Int) async throws {
        try NameRules.checkAlias(alias)
        try await write { connection in
            _ = try Self.modelVersion(name, version, connection)
            try connection.execute(
                """
                INSERT INTO registered_model_aliases (name, alias, version) VALUES (?, ?, ?)
                ON CONFLICT (name, alias) DO UPDATE SET version = excluded.version
                """, .text(name), .text(alias), .int(version))
        }
    }

    /// Removes an alias; one that is not there is no error.
    package func deleteAlias(name: String, alias: String) async throws {
        try NameRules.checkAlias(alias)
        try await write { connection in
            _ = try Self.registeredModel(name, connection)
            try connection.execute(
                "DELETE FROM registered_model_aliases WHERE name = ? AND alias = ?", .text(name), .text(alias))
        }
    }

    package func modelVersion(name: String, alias: String) async throws -> ModelVersion {
        guard !alias.isEmpty else { throw TrackingError.invalid("Registered model alias name cannot be empty.") }
        return try await read { connection in
            _ = try Self.registeredModel(name, connection)
            let version: Int?
            if alias.lowercased() == "latest" {
                version =
                    try connection.first(
                        "SELECT MAX(version) FROM model_versions WHERE name = ?", .text(name)
                    ) { $0.optionalInt(0) } ?? nil
            } else {
                version = try connection.first(
                    "SELECT version FROM registered_model_aliases WHERE name = ? AND alias = ?", .text(name),
                    .text(alias)
                ) { $0.int(0) }
            }
            guard let version else {
                throw TrackingError.invalid("Registered model alias \(NameRules.abbreviated(alias)) not found.")
            }
            return try Self.modelVersion(name, version, connection)
        }
    }

    static func registeredModel(_ name: String, _ connection: DatabaseConnection) throws -> RegisteredModel {
        guard !name.isEmpty else { throw TrackingError.invalid("Registered model name cannot be empty.") }
        let key = DatabaseValue.text(name)
        let found = try connection.first(
            "SELECT creation_time, last_update_time, description FROM registered_models WHERE name = ?", key
        ) { row in
            RegisteredModel(
                name: name, creationMilliseconds: row.int(0), lastUpdateMilliseconds: row.int(1),
                description: row.optionalText(2), tags: [], aliases: [], latestVersions: [])
        }
        guard var model = found else { throw noModel(name) }
        model.tags = try connection.query(
            "SELECT tag_key, tag_value FROM registered_model_tags WHERE name = ?", key, row: keyText)
        model.aliases = try connection.query(
            "SELECT alias, version FROM registered_model_aliases WHERE name = ? ORDER BY alias", key
        ) { ModelAlias(alias: $0.text(0), version: $0.int(1)) }
        let latest = try connection.query(
            "SELECT MAX(version) FROM model_versions WHERE name = ? GROUP BY stage ORDER BY 1", key
        ) { $0.int(0) }
        model.latestVersions = try latest.map { try modelVersion(name, $0, connection) }
        return model
    }

    static func noModel(_ name: String) -> TrackingError {
        .missing("Registered Model with name=\(NameRules.abbreviated(name)) not found")
    }

    static func checkDescription(_ description: String?) throws(TrackingError) {
        guard let description, description.unicodeScalars.count > TrackingLimits.descriptionCharactersMax else {
            return
        }
        throw .invalid(
            "The description exceeds the maximum length of \(TrackingLimits.descriptionCharactersMax) characters.")
    }

    static func checkRegistryTag(_ tag: KeyText) throws(TrackingError) {
        try NameRules.checkKey(tag.key, "tag")
        guard tag.value.unicodeScalars.count <= TrackingLimits.registryTagCharactersMax else {
            throw .invalid(
                "Tag value exceeds the maximum length of \(TrackingLimits.registryTagCharactersMax) characters: key '\(NameRules.abbreviated(tag.key))'."
            )
        }
    }

    private static func requireFreeModelName(_ name: String, _ connection: DatabaseConnection) throws {
        let count = try connection.first("SELECT COUNT(*) FROM registered_models WHERE name = ?", .text(name)) {
            $0.int(0)
        }
        guard count == 0 else {
            throw TrackingError(
                .resourceAlreadyExists, "Registered Model (name=\(NameRules.abbreviated(name))) already exists.")
        }
    }

    private static func setModelTag(_ tag: KeyText, _ name: String, _ connection: DatabaseConnection) throws {
        try connection.execute(
            """
            INSERT INTO registered_model_tags (name, tag_key, tag_value) VALUES (?, ?, ?)
            ON CONFLICT (name, tag_key) DO UPDATE SET tag_value = excluded.tag_value
            """, .text(name), .text(tag.key), .text(tag.value))
    }
}

extension SearchQuery {
    /// Adds `filter`; models that hold prompts are left out unless it asks for them by their tag.
    mutating func require(filter: String, hidingPromptsOf tagTable: String) throws(TrackingError) {
        let clauses = try FilterParser.clauses(filter)
        let wantsPrompts = clauses.contains {
            $0.entity == .tag && $0.key == promptTag && $0.comparison == .equal && $0.value == .text("true")
        }
        if !wantsPrompts {
            require(
                """
                NOT EXISTS (SELECT 1 FROM \(tagTable) p WHERE p.name = b.name AND p.tag_key = '\(promptTag)' \
                AND LOWER(p.tag_value) = 'true')
                """)
        }
        // "is not a prompt" is what the condition above says; as a clause it would ask for the tag's presence.
        let rest = clauses.filter { !($0.entity == .tag && $0.key == promptTag && !wantsPrompts) }
        for clause in rest { try require(clause) }
    }
}
