import CSQLite

/// A prepared statement, owned by one connection's cache and used by one thread.
@safe
final class SQLiteStatement {
    private let handle: OpaquePointer
    private let connection: OpaquePointer
    let sql: String
    /// True while a row closure runs, so that a nested use of the same text prepares a second statement.
    var isInUse = false

    init(_ sql: String, connection: OpaquePointer) throws(DatabaseError) {
        var handle: OpaquePointer?
        let result = sqlite3_prepare_v3(connection, sql, -1, UInt32(SQLITE_PREPARE_PERSISTENT), &handle, nil)
        guard result == SQLITE_OK else { throw DatabaseError(sqlite: result, connection: connection, sql: sql) }
        guard let handle else { throw DatabaseError(.statement, "empty statement", sql: sql) }
        self.handle = handle
        self.connection = connection
        self.sql = sql
    }

    deinit { sqlite3_finalize(handle) }

    /// Binds `values` in order. Their count must be that of the placeholders.
    func bind(_ values: [DatabaseValue]) throws(DatabaseError) {
        guard values.count == Int(sqlite3_bind_parameter_count(handle)) else {
            throw DatabaseError(
                .statement, "\(values.count) values for \(sqlite3_bind_parameter_count(handle)) placeholders", sql: sql)
        }
        for (index, value) in values.enumerated() {
            let result = bind(value, at: Int32(index + 1))
            guard result == SQLITE_OK else { throw DatabaseError(sqlite: result, connection: connection, sql: sql) }
        }
    }

    private func bind(_ value: DatabaseValue, at index: Int32) -> Int32 {
        // SQLITE_TRANSIENT: SQLite copies, so nothing of ours must outlive the call.
        let transient = unsafeBitCast(-1, to: sqlite3_destructor_type.self)
        switch value {
        case .null: return sqlite3_bind_null(handle, index)
        case .int(let number): return sqlite3_bind_int64(handle, index, Int64(number))
        case .double(let number): return sqlite3_bind_double(handle, index, number)
        case .text(var text):
            return text.withUTF8 { bytes in
                bytes.withMemoryRebound(to: CChar.self) {
                    // A nil pointer would bind NULL: an empty text has to keep a pointer.
                    guard let start = $0.baseAddress else { return sqlite3_bind_text(handle, index, "", 0, transient) }
                    return sqlite3_bind_text(handle, index, start, Int32(clamping: $0.count), transient)
                }
            }
        case .blob(let bytes):
            return bytes.withUnsafeBytes { raw in
                guard let start = raw.baseAddress, !raw.isEmpty else { return sqlite3_bind_zeroblob(handle, index, 0) }
                return sqlite3_bind_blob64(handle, index, start, UInt64(raw.count), transient)
            }
        }
    }

    /// Runs to the next row: true for a row, false at the end.
    func step() throws(DatabaseError) -> Bool {
        switch sqlite3_step(handle) {
        case SQLITE_ROW: return true
        case SQLITE_DONE: return false
        default:
            throw DatabaseError(sqlite: sqlite3_extended_errcode(connection), connection: connection, sql: sql)
        }
    }

    /// The current row.
    var row: Row { Row(sqlite: handle) }

    /// Makes the statement ready for its next use and lets go of bound bytes.
    func reset() {
        sqlite3_reset(handle)
        sqlite3_clear_bindings(handle)
    }
}
