/// Why a statement, a transaction or opening a database failed.
package struct DatabaseError: Error, Sendable, CustomStringConvertible {
    /// What a caller can act on; the same set for every backend.
    package enum Code: Sendable, Hashable {
        /// Another process holds the database and did not let go in time.
        case busy
        /// The file is damaged or is no database.
        case corrupt
        /// The disk, or the database's own bound, is full.
        case full
        /// A UNIQUE, PRIMARY KEY, NOT NULL, CHECK or FOREIGN KEY rule refused the row.
        case constraint
        /// Reading or writing the file failed.
        case inputOutput
        /// The file or its folder cannot be opened or made; the server refuses this user or has no such database.
        case cannotOpen
        /// The connection to the database server broke before anything of the transaction was stored.
        case connectionLost
        /// The database server cannot be reached now.
        case unavailable
        /// The connection broke while a commit was under way, and nobody can say whether it was stored.
        case outcomeUnknown
        /// The database cannot keep this value: too long for a key, or a character it does not have.
        case valueRefused
        /// The file may not be written.
        case readOnly
        /// The statement ran longer than its bound.
        case timeout
        /// Too many closures wait for a connection already.
        case queueFull
        /// The database was closed.
        case closed
        /// The file was written by a newer release.
        case schemaTooNew
        /// The statement is wrong: a mistake of ours.
        case statement
        case other
    }

    package let code: Code
    /// For the log. It names no path and no bound value, but is not meant for clients either.
    package let message: String
    /// The statement at fault, without its values; nil when there is none.
    package let sql: String?

    package init(_ code: Code, _ message: String, sql: String? = nil) {
        self.code = code
        self.message = message
        self.sql = sql
    }

    package var description: String {
        sql.map { "\(message) (\(code)) in: \($0)" } ?? "\(message) (\(code))"
    }

    /// True when the same call may succeed a little later.
    package var isTransient: Bool {
        switch code {
        case .busy, .queueFull, .timeout, .unavailable: true
        default: false
        }
    }
}
