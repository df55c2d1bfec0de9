// One open connection of either engine. Confined to its thread: closures get it as an argument and must not keep it.

import Clock

/// A connection as `Database.read` and `Database.write` hand it to their closures.
///
/// SQL is written so that both engines take it: placeholders are `?` in order, identifiers are lower case,
/// `INSERT ... ON CONFLICT ... DO`, `RETURNING`, `LIKE ? ESCAPE '\'` that respects case, every ORDER BY expression of a
/// SELECT DISTINCT selected, sums cast. Statements are prepared once and kept, so their texts come from a small set.
package final class DatabaseConnection {
    let engine: Engine

    /// The two databases there are.
    enum Engine {
        case sqlite(SQLiteConnection)
        case postgres(PostgresConnection)
    }

    init(_ engine: Engine) { self.engine = engine }

    /// Runs one statement and drops its rows. Returns how many rows it changed.
    @discardableResult
    package func execute(_ sql: String, _ values: DatabaseValue...) throws(DatabaseError) -> Int {
        try execute(sql, values: values)
    }

    /// Runs one statement and drops its rows. Returns how many rows it changed.
    @discardableResult
    package func execute(_ sql: String, values: [DatabaseValue]) throws(DatabaseError) -> Int {
        switch engine {
        case .sqlite(let connection): try connection.execute(sql, values)
        case .postgres(let connection): try connection.execute(sql, values)
        }
    }

    /// Inserts many rows of one table at once: one round trip where the database is a server.
    ///
    /// - Parameters:
    ///   - rows: as many values each as there are columns; a column's values are of one kind, or null.
    ///   - onConflict: the clause behind ON CONFLICT, such as `DO NOTHING`. With `DO UPDATE` no two rows may have the
    ///     same key.
    /// - Returns: how many rows were inserted or updated.
    @discardableResult
    package func insert(
        into table: String, _ columns: [String], rows: [[DatabaseValue]], onConflict: String
    ) throws(DatabaseError) -> Int {
        guard !rows.isEmpty else { return 0 }
        switch engine {
        case .sqlite(let connection):
            let names = columns.joined(separator: ", ")
            let marks = Array(repeating: "?", count: columns.count).joined(separator: ", ")
            let sql = "INSERT INTO \(table) (\(names)) VALUES (\(marks)) ON CONFLICT \(onConflict)"
            var count = 0
            for row in rows { count += try connection.execute(sql, row) }
            return count
        case .postgres(let connection):
            return try connection.insert(into: table, columns, rows: rows, onConflict: onConflict)
        }
    }

    /// What `row` makes of every result row, in order.
    package func query<Value>(
        _ sql: String, _ values: DatabaseValue..., row: (borrowing Row) throws -> Value
    ) throws -> [Value] {
        try query(sql, values: values, row: row)
    }

    /// What `row` makes of every result row, in order.
    package func query<Value>(
        _ sql: String, values: [DatabaseValue], row: (borrowing Row) throws -> Value
    ) throws -> [Value] {
        var out: [Value] = []
        try forEach(sql, values: values) {
            out.append(try row($0))
            return true
        }
        return out
    }

    /// What `row` makes of the first result row, or nil when there is none.
    package func first<Value>(
        _ sql: String, _ values: DatabaseValue..., row: (borrowing Row) throws -> Value
    ) throws -> Value? {
        var out: Value?
        try forEach(sql, values: values) {
            out = try row($0)
            return false
        }
        return out
    }

    /// Gives every result row to `body`, until that returns false. `body` may use the connection.
    package func forEach(
        _ sql: String, values: [DatabaseValue] = [], body: (borrowing Row) throws -> Bool
    ) throws {
        switch engine {
        case .sqlite(let connection): try connection.forEach(sql, values, body: body)
        case .postgres(let connection): try connection.forEach(sql, values, body: body)
        }
    }

    /// As `forEach`, for results too large to hold: one row at a time. `body` must not use the connection.
    package func stream(_ sql: String, values: [DatabaseValue], body: (borrowing Row) throws -> Bool) throws {
        switch engine {
        case .sqlite(let connection): try connection.forEach(sql, values, body: body)
        case .postgres(let connection): try connection.stream(sql, values, body: body)
        }
    }

    /// Statements that run past `deadline` fail with `.timeout`; nil lifts the bound.
    func setDeadline(_ deadline: MonotonicTime?) {
        switch engine {
        case .sqlite(let connection): connection.setDeadline(deadline)
        case .postgres(let connection): connection.deadline = deadline
        }
    }
}
