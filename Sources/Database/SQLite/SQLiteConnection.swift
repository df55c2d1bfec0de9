// SQLite's engine: one open file, confined to its thread.

import CSQLite
import Clock
import Glibc

/// An open SQLite file. Statements are prepared once and kept, so their texts come from a small set.
@safe
final class SQLiteConnection {
    let path: String
    private let handle: OpaquePointer
    private var cache: [String: SQLiteStatement] = [:]
    private let cacheCountMax = 256
    // The progress callback reads it; 0 means no bound.
    private let deadlineNanoseconds: UnsafeMutablePointer<UInt64>

    /// Opens `path`, made when it is missing and `readOnly` is false.
    init(path: String, readOnly: Bool, cacheKibibytes: Int) throws(DatabaseError) {
        var handle: OpaquePointer?
        let flags =
            SQLITE_OPEN_NOMUTEX | SQLITE_OPEN_EXRESCODE
            | (readOnly ? SQLITE_OPEN_READONLY : SQLITE_OPEN_READWRITE | SQLITE_OPEN_CREATE)
        let result = sqlite3_open_v2(path, &handle, flags, nil)
        guard result == SQLITE_OK, let handle else {
            let error = DatabaseError(sqlite: result, connection: handle)
            sqlite3_close_v2(handle)
            throw error
        }
        self.handle = handle
        self.path = path
        deadlineNanoseconds = .allocate(capacity: 1)
        deadlineNanoseconds.initialize(to: 0)
        sqlite3_busy_timeout(handle, 5_000)
        // A longer pattern with many wildcards costs exponential time inside one virtual-machine step.
        sqlite3_limit(handle, SQLITE_LIMIT_LIKE_PATTERN_LENGTH, 2_000)
        sqlite3_progress_handler(
            handle, 20_000,
            { context in
                guard let deadline = context?.assumingMemoryBound(to: UInt64.self).pointee, deadline != 0 else {
                    return 0
                }
                return MonotonicTime.now.nanoseconds > deadline ? 1 : 0
            }, deadlineNanoseconds)
        try execute("PRAGMA foreign_keys = ON")
        try execute("PRAGMA case_sensitive_like = ON")
        try execute("PRAGMA temp_store = MEMORY")
        try execute("PRAGMA cache_size = -\(cacheKibibytes)")
    }

    deinit {
        cache.removeAll()
        sqlite3_progress_handler(handle, 0, nil, nil)
        sqlite3_close_v2(handle)
        deadlineNanoseconds.deallocate()
    }

    /// Runs one statement and drops its rows. Returns how many rows it changed.
    @discardableResult
    func execute(_ sql: String, _ values: [DatabaseValue] = []) throws(DatabaseError) -> Int {
        let statement = try take(sql)
        defer { give(statement) }
        try statement.bind(values)
        while try statement.step() {}
        return Int(sqlite3_changes64(handle))
    }

    /// Gives every result row to `body` as it is read, until that returns false.
    func forEach(_ sql: String, _ values: [DatabaseValue], body: (borrowing Row) throws -> Bool) throws {
        let statement = try take(sql)
        defer { give(statement) }
        try statement.bind(values)
        while try statement.step() {
            guard try body(statement.row) else { return }
        }
    }

    /// Statements that run past `deadline` fail with `.timeout`; nil lifts the bound.
    func setDeadline(_ deadline: MonotonicTime?) { deadlineNanoseconds.pointee = deadline?.nanoseconds ?? 0 }

    /// True outside a transaction; after some errors SQLite ends the transaction by itself.
    var isAutocommit: Bool { sqlite3_get_autocommit(handle) != 0 }

    private func take(_ sql: String) throws(DatabaseError) -> SQLiteStatement {
        if let statement = cache[sql], !statement.isInUse {
            statement.isInUse = true
            return statement
        }
        let statement = try SQLiteStatement(sql, connection: handle)
        if cache[sql] == nil {
            // Texts come from a small set; a flood of others (generated filters) only costs preparing anew.
            if cache.count >= cacheCountMax { cache = cache.filter { $0.value.isInUse } }
            cache[sql] = statement
        }
        statement.isInUse = true
        return statement
    }

    private func give(_ statement: SQLiteStatement) {
        statement.reset()
        statement.isInUse = false
    }
}
