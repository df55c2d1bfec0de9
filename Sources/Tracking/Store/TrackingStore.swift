// The store of experiments, runs, metrics and the model registry: rules and rows. It knows no protocol.

import Clock
package import Database

/// Where an opened store keeps things.
package final class TrackingStore: Sendable {
    let database: Database
    /// New experiments put their artifacts below it.
    package let artifactRoot: String

    /// Opens the database file at `path`. As `init(location:artifactRoot:)`.
    package convenience init(path: String, artifactRoot: String) async throws {
        try await self.init(location: .file(path), artifactRoot: artifactRoot)
    }

    /// Opens the database at `location` and makes the experiment `Default` (number 0) when it is missing.
    ///
    /// Blocks: for start-up only. Throws `DatabaseError`.
    package init(location: DatabaseLocation, artifactRoot: String) async throws {
        var configuration = DatabaseConfiguration()
        // A server's answers take a round trip each, in which a thread only waits.
        if case .server = location { configuration.readerCount = 4 }
        database = try Database(
            location: location, migrations: TrackingSchema.migrations, configuration: configuration)
        self.artifactRoot = artifactRoot
        let location = ArtifactLocation.child(of: artifactRoot, "0")
        let now = Self.nowMilliseconds
        try await database.write { connection in
            try connection.execute(
                """
                INSERT INTO experiments (experiment_id, name, artifact_location, lifecycle_stage, creation_time,
                    last_update_time) VALUES (0, 'Default', ?, 'active', ?, ?) ON CONFLICT DO NOTHING
                """, .text(location), .int(now), .int(now))
        }
    }

    /// Transactions committed since the start, each one fsync, and the writes that they carried.
    package var commitCount: Int { database.statistics.commitCount }
    package var writeCount: Int { database.statistics.writeCount }

    package func close() async { await database.close() }

    static var nowMilliseconds: Int { Int(WallTime.now.milliseconds) }

    /// Runs `body` in a durable transaction. Throws `TrackingError` only.
    @discardableResult
    func write<Value: Sendable>(_ body: @escaping @Sendable (DatabaseConnection) throws -> Value) async throws -> Value
    {
        do { return try await database.write(body) } catch { throw Self.domainError(error) }
    }

    /// Runs `body` on a snapshot. Throws `TrackingError` only.
    func read<Value: Sendable>(_ body: @escaping @Sendable (DatabaseConnection) throws -> Value) async throws -> Value {
        do { return try await database.read(body) } catch { throw Self.domainError(error) }
    }

    private static func domainError(_ error: any Error) -> TrackingError {
        if let error = error as? TrackingError { return error }
        guard let error = error as? DatabaseError else { return TrackingError(.internalError, "\(error)") }
        switch error.code {
        case .busy, .queueFull:
            return TrackingError(.temporarilyUnavailable, "The tracking store is busy: try again in a moment.")
        case .timeout:
            return TrackingError(
                .temporarilyUnavailable, "The query took too long: narrow its filter or ask for fewer results.")
        case .unavailable, .connectionLost:
            return TrackingError(
                .temporarilyUnavailable, "The tracking database cannot be reached now: try again in a moment.")
        case .outcomeUnknown:
            return TrackingError(
                .outcomeUnknown,
                "The tracking database was lost while this was being stored, so it may be stored or not: "
                    + "look before you repeat the call.")
        case .valueRefused:
            return TrackingError.invalid(
                "The tracking database cannot keep a value of this call: it is too long, or holds the character NUL.")
        case .full: return TrackingError(.internalError, "the disk is full: \(error)")
        default: return TrackingError(.internalError, "\(error)")
        }
    }
}

/// Reads two text columns as a key and its text.
func keyText(_ row: borrowing Row) -> KeyText { KeyText(key: row.text(0), value: row.text(1)) }
