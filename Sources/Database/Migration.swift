// Schema changes go forward only. Each runs in a transaction of its own together with the row that records it, so a
// crash between two leaves a file that the next start completes.

import Clock

/// One step of a schema: the statements that lead from `version - 1` to `version`.
///
/// They are written in SQLite's words: `INTEGER`, `TEXT`, `BLOB`, `DOUBLE PRECISION`, `INTEGER PRIMARY KEY`,
/// `WITHOUT ROWID`. `PostgresDialect.schema` says them in PostgreSQL's.
package struct Migration: Sendable {
    package let version: Int
    package let name: String
    package let statements: [String]

    /// Versions count from 1 without gaps, in the order of the list given to `Database`.
    package init(version: Int, name: String, statements: [String]) {
        self.version = version
        self.name = name
        self.statements = statements
    }
}

extension Migration {
    /// Brings the schema behind `connection` to the last of `migrations`.
    ///
    /// An existing file is copied to `<path>.before-v<N>` first; of a server's database its administrator keeps the
    /// copies. Throws `.schemaTooNew` when the database is ahead.
    static func apply(_ migrations: [Migration], to connection: DatabaseConnection) throws {
        for (index, migration) in migrations.enumerated() {
            precondition(migration.version == index + 1, "migration versions count from 1 without gaps")
        }
        switch connection.engine {
        case .sqlite(let file):
            try bringForward(migrations, connection) { present throws(DatabaseError) in
                try file.copy(to: "\(file.path).before-v\(present + 1)")
            }
        case .postgres(let server):
            try server.migrating { try bringForward(migrations, connection) { _ in } }
        }
    }

    private static func bringForward(
        _ migrations: [Migration], _ connection: DatabaseConnection, copy: (Int) throws(DatabaseError) -> Void
    ) throws {
        try connection.executeSchema(
            """
            CREATE TABLE IF NOT EXISTS schema_version (
                version INTEGER PRIMARY KEY, name TEXT NOT NULL, applied_at_milliseconds INTEGER NOT NULL)
            """)
        let present = try connection.first("SELECT MAX(version) FROM schema_version") { $0.int(0) } ?? 0
        guard present <= migrations.count else {
            throw DatabaseError(
                .schemaTooNew,
                "the database has schema version \(present), this release knows \(migrations.count): "
                    + "start the release that wrote it, or restore the copy made before it migrated")
        }
        guard present < migrations.count else { return }
        if present > 0 { try copy(present) }
        for migration in migrations[present...] {
            try connection.beginWriting()
            do {
                // Another server may have started at the same moment and been first.
                let reached = try connection.first("SELECT MAX(version) FROM schema_version") { $0.int(0) } ?? 0
                guard reached < migration.version else {
                    connection.rollback()
                    continue
                }
                for statement in migration.statements { try connection.executeSchema(statement) }
                try connection.execute(
                    "INSERT INTO schema_version (version, name, applied_at_milliseconds) VALUES (?, ?, ?)",
                    .int(migration.version), .text(migration.name), .int(Int(WallTime.now.milliseconds)))
                try connection.commit()
            } catch {
                connection.rollback()
                throw error
            }
        }
    }
}
