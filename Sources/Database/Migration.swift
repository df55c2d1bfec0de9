// Schema changes go forward only. Each runs in a transaction of its own together with the row that records it, so a
// crash between two leaves a file that the next start completes.

import Clock
import Glibc

/// One step of a schema: the statements that lead from `version - 1` to `version`.
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
    /// An existing file is copied to `<path>.before-v<N>` first. Throws `.schemaTooNew` when the file is ahead.
    static func apply(_ migrations: [Migration], to connection: DatabaseConnection, path: String) throws {
        for (index, migration) in migrations.enumerated() {
            precondition(migration.version == index + 1, "migration versions count from 1 without gaps")
        }
        try connection.execute(
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
        if present > 0 { try copyDatabase(of: connection, to: "\(path).before-v\(present + 1)") }
        for migration in migrations[present...] {
            try connection.execute("BEGIN IMMEDIATE")
            do {
                for statement in migration.statements { try connection.execute(statement) }
                try connection.execute(
                    "INSERT INTO schema_version (version, name, applied_at_milliseconds) VALUES (?, ?, ?)",
                    .int(migration.version), .text(migration.name), .int(Int(WallTime.now.milliseconds)))
                try connection.execute("COMMIT")
            } catch {
                if !connection.isAutocommit { try connection.execute("ROLLBACK") }
                throw error
            }
        }
    }

    /// Writes a copy beside `path` and renames it there, over the copy that an earlier attempt left.
    private static func copyDatabase(of connection: DatabaseConnection, to path: String) throws(DatabaseError) {
        let partial = "\(path).partial"
        unlink(partial)
        try connection.execute("VACUUM INTO ?", .text(partial))
        guard rename(partial, path) == 0 else {
            throw DatabaseError(.inputOutput, "the copy made before migrating cannot be renamed")
        }
    }
}
