// PostgreSQL's engine: one connection over libpq, confined to its thread. Statements are prepared once and kept;
// values and results travel in the binary format.

import CPostgres
import Clock
import Glibc

/// What a connection is for: its bounds differ.
enum PostgresPurpose: Sendable {
    case writing
    /// Each statement is stopped by the server after this long.
    case reading(timeoutMilliseconds: UInt64)
}

@safe
final class PostgresConnection {
    /// Lives as long as the process.
    private let library: UnsafePointer<slipway_libpq>
    private let address: PostgresAddress
    private let purpose: PostgresPurpose
    private var handle: OpaquePointer?
    private var statements: [StatementKey: String] = [:]
    private var statementCount = 0
    private let statementCountMax = 256
    /// Sent in front of the next control statement: it saves a round trip.
    private var pending = ""
    /// The number of the transaction that is being written, by which its fate is asked after a lost connection.
    private var transaction: Int?
    /// No statement is begun after it.
    var deadline: MonotonicTime?

    /// Waits between attempts to connect anew: doubled from the first to the last, for no longer than this in total.
    private static let backOffMillisecondsMax: UInt64 = 1_000
    private static let reconnectMilliseconds: UInt64 = 5_000
    /// How long a server that is starting up is waited for at first.
    private static let startMilliseconds: UInt64 = 15_000
    /// Identifies the turn of the writer, and that of a migration, among the database's advisory locks.
    private static let writerLock = "1397246288, 1"
    private static let migrationLock = "1397246288, 2"

    private struct StatementKey: Hashable {
        let sql: String
        let types: [UInt32]
    }

    /// Connects. Throws `.cannotOpen` for what waiting does not mend, else `.unavailable`.
    init(_ address: PostgresAddress, _ purpose: PostgresPurpose) throws(DatabaseError) {
        var problem: UnsafePointer<CChar>?
        guard let library = slipway_libpq_load(&problem) else {
            let reason = problem.map { String(cString: $0) } ?? "no reason given"
            throw DatabaseError(
                .cannotOpen, "PostgreSQL's client library cannot be loaded (\(reason)): install Debian's libpq5")
        }
        self.library = library
        self.address = address
        self.purpose = purpose
        try connectPatiently()
    }

    deinit { disconnect() }

    // MARK: Connecting

    private func disconnect() {
        if let handle { library.pointee.finish(handle) }
        handle = nil
        statements = [:]
        pending = ""
    }

    /// Connects; a server that is still starting up is waited for, because compose files start everything at once.
    private func connectPatiently() throws(DatabaseError) {
        let end = MonotonicTime.now.advanced(milliseconds: Self.startMilliseconds)
        while true {
            do throws(DatabaseError) { return try connect() } catch {
                guard error.message.contains("starting up"), MonotonicTime.now < end else { throw error }
            }
            usleep(200_000)
        }
    }

    private func connect() throws(DatabaseError) {
        disconnect()
        let options = address.options
        var names = options.map { strdup($0.name) } + [nil]
        var values = options.map { strdup($0.value) } + [nil]
        defer { for text in names + values { free(text) } }
        let made = names.withUnsafeMutableBufferPointer { names in
            values.withUnsafeMutableBufferPointer { values in
                names.withMemoryRebound(to: UnsafePointer<CChar>?.self) { names in
                    values.withMemoryRebound(to: UnsafePointer<CChar>?.self) { values in
                        library.pointee.connectdbParams(names.baseAddress, values.baseAddress, 0)
                    }
                }
            }
        }
        guard let made else { throw DatabaseError(.unavailable, "no memory for a connection") }
        handle = made
        guard library.pointee.status(made) == CONNECTION_OK else {
            let refusal = PostgresRefusal(Self.text(library.pointee.errorMessage(made)) ?? "")
            disconnect()
            let hint = refusal.hint.map { ": \($0)" } ?? ""
            throw DatabaseError(
                refusal.isPassing ? .unavailable : .cannotOpen,
                "cannot connect to PostgreSQL at \(address): \(refusal.reason)\(hint)")
        }
        _ = library.pointee.setNoticeReceiver(made, slipway_libpq_drop_notice, nil)
        switch purpose {
        case .reading(let milliseconds): try run("SET statement_timeout = \(milliseconds)")
        case .writing:
            // A server that answers before the disk has the commit would lose what we acknowledged.
            try run(
                """
                SET statement_timeout = 60000; SET lock_timeout = 10000; SELECT set_config('synchronous_commit', 'on', false)
                WHERE current_setting('synchronous_commit') IN ('off', 'local')
                """)
        }
    }

    /// Connects anew, waiting a little longer between attempts. Throws `.unavailable` or `.cannotOpen`.
    func reconnect() throws(DatabaseError) {
        try reconnect(milliseconds: Self.reconnectMilliseconds)
    }

    private func reconnect(milliseconds: UInt64) throws(DatabaseError) {
        let end = MonotonicTime.now.advanced(milliseconds: milliseconds)
        var wait: UInt64 = 50
        while true {
            do throws(DatabaseError) { return try connect() } catch {
                guard error.code != .cannotOpen, MonotonicTime.now.advanced(milliseconds: wait) < end else {
                    throw error.code == .connectionLost ? DatabaseError(.unavailable, error.message) : error
                }
            }
            usleep(UInt32(wait) * 1000)
            wait = min(wait * 2, Self.backOffMillisecondsMax)
        }
    }

    private var isConnected: Bool { handle.map { library.pointee.status($0) == CONNECTION_OK } ?? false }

    private func connected() throws(DatabaseError) -> OpaquePointer {
        guard let handle, isConnected else { throw Self.lost }
        return handle
    }

    private static var lost: DatabaseError { DatabaseError(.connectionLost, "the connection to PostgreSQL was lost") }

    // MARK: Statements

    /// Runs statements without values, as one round trip; returns the last one's first value as text.
    @discardableResult
    func run(_ sql: String) throws(DatabaseError) -> String? {
        let handle = try connected()
        let text = pending.isEmpty ? sql : "\(pending); \(sql)"
        pending = ""
        guard let result = library.pointee.exec(handle, text) else { throw failure(nil, sql) }
        defer { library.pointee.clear(result) }
        switch library.pointee.resultStatus(result) {
        case PGRES_COMMAND_OK: return Self.text(library.pointee.cmdStatus(result))
        case PGRES_TUPLES_OK:
            guard library.pointee.ntuples(result) > 0 else { return nil }
            return Self.text(library.pointee.getvalue(result, 0, 0))
        default: throw failure(result, sql)
        }
    }

    /// Runs `sql` in front of the next statement that controls the transaction.
    func runLater(_ sql: String) { pending = pending.isEmpty ? sql : "\(pending); \(sql)" }

    /// Runs one statement and drops its rows. Returns how many rows it changed.
    @discardableResult
    func execute(_ sql: String, _ values: [DatabaseValue]) throws(DatabaseError) -> Int {
        try execute(sql, try PostgresParameters(values))
    }

    private func execute(_ sql: String, _ parameters: PostgresParameters) throws(DatabaseError) -> Int {
        let result = try perform(sql, parameters)
        defer { library.pointee.clear(result) }
        return Self.text(library.pointee.cmdTuples(result)).flatMap { Int($0) } ?? 0
    }

    /// Inserts rows by one statement over arrays: the server plans and parses once whatever the count.
    func insert(
        into table: String, _ columns: [String], rows: [[DatabaseValue]], onConflict: String
    ) throws(DatabaseError) -> Int {
        // A column of nothing but nulls has no kind; left out it is null as well.
        let used = columns.indices.filter { column in rows.contains { $0[column] != .null } }
        let marks = Array(repeating: "?", count: used.count).joined(separator: ", ")
        return try execute(
            """
            INSERT INTO \(table) (\(used.map { columns[$0] }.joined(separator: ", "))) SELECT * FROM unnest(\(marks))
            ON CONFLICT \(onConflict)
            """, try PostgresParameters(columns: used, of: rows))
    }

    /// Gives every result row to `body`, until that returns false. The whole result is held meanwhile.
    func forEach(_ sql: String, _ values: [DatabaseValue], body: (borrowing Row) throws -> Bool) throws {
        let result = try perform(sql, try PostgresParameters(values))
        defer { library.pointee.clear(result) }
        for index in 0..<library.pointee.ntuples(result) {
            guard try body(Row(postgres: PostgresRow(library: library, result: result, index: index))) else { return }
        }
    }

    /// Gives every result row to `body` as it arrives. `body` must not use the connection.
    func stream(_ sql: String, _ values: [DatabaseValue], body: (borrowing Row) throws -> Bool) throws {
        let parameters = try PostgresParameters(values)
        let name = try prepared(sql, parameters)
        let handle = try connected()
        let sent = parameters.withPointers { values, lengths, formats in
            library.pointee.sendQueryPrepared(handle, name, parameters.count, values, lengths, formats, 1)
        }
        guard sent == 1, library.pointee.setSingleRowMode(handle) == 1 else { throw failure(nil, sql) }
        // Whatever happens, the answer is read to its end: the connection takes no other statement before.
        var problem: (any Error)?
        var wantsMore = true
        while let result = library.pointee.getResult(handle) {
            defer { library.pointee.clear(result) }
            switch library.pointee.resultStatus(result) {
            case PGRES_SINGLE_TUPLE where wantsMore:
                do {
                    wantsMore = try body(Row(postgres: PostgresRow(library: library, result: result, index: 0)))
                } catch {
                    problem = error
                    wantsMore = false
                }
            case PGRES_SINGLE_TUPLE, PGRES_TUPLES_OK: break
            default: problem = problem ?? failure(result, sql)
            }
        }
        if let problem { throw problem }
    }

    /// Runs a prepared statement. The caller clears the result.
    private func perform(_ sql: String, _ parameters: PostgresParameters) throws(DatabaseError) -> OpaquePointer {
        let name = try prepared(sql, parameters)
        let handle = try connected()
        let result = parameters.withPointers { values, lengths, formats in
            library.pointee.execPrepared(handle, name, parameters.count, values, lengths, formats, 1)
        }
        guard let result else { throw failure(nil, sql) }
        switch library.pointee.resultStatus(result) {
        case PGRES_COMMAND_OK, PGRES_TUPLES_OK: return result
        default:
            defer { library.pointee.clear(result) }
            throw failure(result, sql)
        }
    }

    /// The name of the prepared form of `sql` for values of these types.
    private func prepared(_ sql: String, _ parameters: PostgresParameters) throws(DatabaseError) -> String {
        if let deadline, MonotonicTime.now > deadline {
            throw DatabaseError(.timeout, "the time for this call is over", sql: sql)
        }
        let key = StatementKey(sql: sql, types: parameters.types)
        if let name = statements[key] { return name }
        let (text, count) = PostgresDialect.numbered(sql)
        guard count == parameters.types.count else {
            throw DatabaseError(.statement, "\(parameters.types.count) values for \(count) placeholders", sql: sql)
        }
        let handle = try connected()
        if statements.count >= statementCountMax {
            // Texts come from a small set; a flood of others (generated filters) only costs preparing anew.
            statements = [:]
            try run("DEALLOCATE ALL")
        }
        statementCount += 1
        let name = "s\(statementCount)"
        let result = parameters.types.withUnsafeBufferPointer {
            library.pointee.prepare(handle, name, text, Int32($0.count), $0.baseAddress)
        }
        defer { library.pointee.clear(result) }
        guard let result, library.pointee.resultStatus(result) == PGRES_COMMAND_OK else { throw failure(result, sql) }
        statements[key] = name
        return name
    }

    private static func text(_ start: UnsafePointer<CChar>?) -> String? { start.map { String(cString: $0) } }

    /// Why a statement failed. When the connection went with it, that is the reason.
    private func failure(_ result: OpaquePointer?, _ sql: String) -> DatabaseError {
        guard isConnected else { return Self.lost }
        func field(_ code: Character) -> String {
            let number = Int32(code.asciiValue ?? 0)
            return result.flatMap { Self.text(library.pointee.resultErrorField($0, number)) } ?? ""
        }
        return DatabaseError(sqlState: field("C"), message: field("M"), sql: sql)
    }
}

extension PostgresConnection {
    /// Begins the transaction of a group of writes. One writer at a time, of all servers on this database.
    func beginWriting() throws(DatabaseError) {
        pending = ""
        let number = try run("BEGIN; SELECT pg_advisory_xact_lock(\(Self.writerLock)); SELECT txid_current()")
        transaction = number.flatMap { Int($0) }
    }

    /// False when the transaction is gone. Throws when the connection is, or when a statement in it failed unnoticed.
    func checkTransaction() throws(DatabaseError) -> Bool {
        let handle = try connected()
        return library.pointee.transactionStatus(handle) != PQTRANS_IDLE
    }

    /// Commits. When the connection breaks on the way, the server is asked what became of the transaction.
    func commit() throws(DatabaseError) {
        do throws(DatabaseError) {
            guard try run("COMMIT") == "COMMIT" else {
                throw DatabaseError(.statement, "a write went on after one of its statements had failed")
            }
        } catch {
            guard error.code == .connectionLost, let transaction else { throw error }
            try settle(transaction)
        }
    }

    /// Returns when `transaction` is stored; throws `.connectionLost` when it is not, `.outcomeUnknown` when nobody can say.
    private func settle(_ transaction: Int) throws(DatabaseError) {
        let end = MonotonicTime.now.advanced(milliseconds: Self.reconnectMilliseconds)
        repeat {
            if !isConnected, (try? reconnect()) == nil { break }
            switch try? run("SELECT txid_status(\(transaction))") {
            case "committed"?: return
            case "aborted"?: throw Self.lost
            // Its backend has not noticed yet that we are gone, or the connection broke again.
            default: usleep(50_000)
            }
        } while MonotonicTime.now < end
        throw DatabaseError(
            .outcomeUnknown, "the connection to PostgreSQL was lost during a commit, and its outcome cannot be learnt")
    }

    func rollback() {
        pending = ""
        if let handle, isConnected, library.pointee.transactionStatus(handle) != PQTRANS_IDLE {
            _ = try? run("ROLLBACK")
        }
    }

    /// Runs `body` while no other server changes the schema.
    func migrating(_ body: () throws -> Void) throws {
        try run("SELECT pg_advisory_lock(\(Self.migrationLock))")
        defer { _ = try? run("SELECT pg_advisory_unlock(\(Self.migrationLock))") }
        // The reference server's own tables have the same names.
        if try run("SELECT to_regclass('alembic_version') IS NOT NULL") == "t" {
            throw DatabaseError(
                .cannotOpen,
                "the database \(address) holds tables that MLflow's own server made; Slipway keeps another form: "
                    + "create an empty database for it")
        }
        try body()
    }
}
