// How each engine begins and ends what `Writer` and `Reader` run. SQLite has one writer by nature; PostgreSQL's writers,
// also those of other servers on the same database, take turns by an advisory lock, so that a rule checked in a
// transaction still holds when it commits.

extension DatabaseConnection {
    /// Begins a snapshot for one reading closure.
    func beginReading() throws(DatabaseError) {
        switch engine {
        case .sqlite(let connection): try connection.execute("BEGIN")
        case .postgres(let connection): try connection.run("BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY")
        }
    }

    /// Ends the snapshot. Throws `.connectionLost` when the connection broke meanwhile: what was read may be in part.
    func endReading() throws(DatabaseError) {
        switch engine {
        case .sqlite(let connection): if !connection.isAutocommit { try connection.execute("COMMIT") }
        case .postgres(let connection): try connection.run("COMMIT")
        }
    }

    /// Begins the transaction of a group of writes; waits for its turn.
    func beginWriting() throws(DatabaseError) {
        switch engine {
        case .sqlite(let connection): try connection.execute("BEGIN IMMEDIATE")
        case .postgres(let connection): try connection.beginWriting()
        }
    }

    /// Begins one caller's part of a group.
    func openSavepoint() throws(DatabaseError) {
        switch engine {
        case .sqlite(let connection): try connection.execute("SAVEPOINT job")
        case .postgres(let connection): try connection.run("SAVEPOINT job")
        }
    }

    /// Keeps or undoes one caller's part.
    func closeSavepoint(keeping: Bool) throws(DatabaseError) {
        switch engine {
        case .sqlite(let connection):
            if !keeping { try connection.execute("ROLLBACK TO job") }
            try connection.execute("RELEASE job")
        case .postgres(let connection):
            if !keeping { try connection.run("ROLLBACK TO job") }
            connection.runLater("RELEASE job")
        }
    }

    /// Throws when the transaction is gone, because the storage failed or the connection broke.
    func checkTransaction() throws(DatabaseError) {
        let isOpen =
            switch engine {
            case .sqlite(let connection): !connection.isAutocommit
            case .postgres(let connection): try connection.checkTransaction()
            }
        guard isOpen else {
            throw DatabaseError(.inputOutput, "a storage error ended the transaction of this write")
        }
    }

    /// Makes the transaction durable. Throws `.connectionLost` when nothing of it is stored, `.outcomeUnknown` when
    /// nobody can say.
    func commit() throws(DatabaseError) {
        switch engine {
        case .sqlite(let connection): try connection.execute("COMMIT")
        case .postgres(let connection): try connection.commit()
        }
    }

    /// Undoes the open transaction, if there is one.
    func rollback() {
        switch engine {
        case .sqlite(let connection): if !connection.isAutocommit { _ = try? connection.execute("ROLLBACK") }
        case .postgres(let connection): connection.rollback()
        }
    }

    /// Runs `body`, and again on a new connection when the one to the server breaks: thrice at the most. Returns why it
    /// came to nothing, or nil.
    func untilConnected(_ body: () throws(DatabaseError) -> Void) -> DatabaseError? {
        var attemptsLeft = 3
        while true {
            do throws(DatabaseError) {
                try body()
                return nil
            } catch {
                rollback()
                attemptsLeft -= 1
                guard error.code == .connectionLost, attemptsLeft > 0 else { return error }
                do throws(DatabaseError) { try reconnect() } catch { return error }
            }
        }
    }

    /// Connects anew after `.connectionLost`, waiting a little longer between attempts. Throws `.unavailable`.
    func reconnect() throws(DatabaseError) {
        if case .postgres(let connection) = engine { try connection.reconnect() }
    }

    /// Leaves nothing for the next start to replay.
    func finishWriting() {
        if case .sqlite(let connection) = engine { _ = try? connection.execute("PRAGMA wal_checkpoint(TRUNCATE)") }
    }

    /// Runs a statement of a schema, written in SQLite's words.
    func executeSchema(_ sql: String) throws(DatabaseError) {
        switch engine {
        case .sqlite(let connection): try connection.execute(sql)
        case .postgres(let connection): try connection.run(PostgresDialect.schema(sql))
        }
    }
}
