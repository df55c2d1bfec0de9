import CSQLite

extension DatabaseError {
    /// The error behind an SQLite result code (`sqlite3_extended_errcode`, "Result and Error Codes").
    init(sqlite result: Int32, connection: OpaquePointer?, sql: String? = nil) {
        let code: Code =
            switch result & 0xff {
            case SQLITE_BUSY, SQLITE_LOCKED, SQLITE_PROTOCOL: .busy
            case SQLITE_CORRUPT, SQLITE_NOTADB: .corrupt
            case SQLITE_FULL, SQLITE_NOMEM, SQLITE_TOOBIG: .full
            case SQLITE_CONSTRAINT: .constraint
            case SQLITE_IOERR: .inputOutput
            case SQLITE_CANTOPEN, SQLITE_PERM, SQLITE_AUTH: .cannotOpen
            case SQLITE_READONLY: .readOnly
            case SQLITE_INTERRUPT: .timeout
            case SQLITE_ERROR, SQLITE_MISUSE, SQLITE_RANGE, SQLITE_MISMATCH, SQLITE_SCHEMA: .statement
            default: .other
            }
        let text = connection.flatMap { sqlite3_errmsg($0) } ?? sqlite3_errstr(result)
        self.init(code, text.map { String(cString: $0) } ?? "result \(result)", sql: sql)
    }
}
