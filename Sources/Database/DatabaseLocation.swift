// Where a database is, as the URIs of SQLAlchemy (and so MLflow's --backend-store-uri) say it.

import Bytes

/// A file of SQLite or a database of a PostgreSQL server.
package enum DatabaseLocation: Sendable, Equatable {
    case file(String)
    case server(PostgresAddress)

    /// Reads `sqlite:///relative.db`, `sqlite:////absolute.db` or
    /// `postgresql[+driver]://[user[:password]@][host][:port]/database[?option=value]`.
    ///
    /// Percent escapes are decoded in user, password and database. Throws `.cannotOpen`, naming what is wrong and never
    /// the password.
    package init(uri: String) throws(DatabaseError) {
        guard uri.utf8.count <= 4096, let mark = uri.firstRange(of: "://") else {
            throw Self.refusal("is no URI: write sqlite:///FILE or postgresql://USER:PASSWORD@HOST:PORT/DATABASE")
        }
        let scheme = uri[..<mark.lowerBound].lowercased()
        let parts = scheme.pieces(by: "+", maxSplits: 1, omittingEmptySubsequences: false).map(String.init)
        let rest = uri[mark.upperBound...]
        let driver = parts.count > 1 ? parts[1] : nil
        switch parts[0] {
        case "sqlite" where driver == nil || driver == "pysqlite": self = .file(try Self.file(rest))
        case "postgresql" where driver.map(Self.drivers.contains) ?? true, "postgres" where driver == nil:
            self = .server(try PostgresAddress(uriRest: rest))
        case "sqlite", "postgresql":
            throw Self.refusal("names the driver \(Self.shown(driver ?? "")), which is not known: leave it out")
        default:
            throw Self.refusal(
                "has the scheme \(Self.shown(scheme)), which is not supported: give sqlite:///FILE or "
                    + "postgresql://USER:PASSWORD@HOST:PORT/DATABASE")
        }
    }

    /// Names that SQLAlchemy has for PostgreSQL drivers; which one a Python server would use is nothing to us.
    private static let drivers: Set<String> = ["psycopg2", "psycopg2cffi", "psycopg", "pg8000", "asyncpg"]

    private static func file(_ rest: Substring) throws(DatabaseError) -> String {
        guard rest.hasPrefix("/") else {
            throw refusal("names no file: write sqlite:///FILE, or sqlite:////FILE from the root folder")
        }
        let path = String(rest.dropFirst().prefix { $0 != "?" })
        guard !path.isEmpty, path != ":memory:", !path.utf8.contains(0) else {
            throw refusal("names no file, and rows in memory would not survive: write sqlite:///FILE")
        }
        return path
    }

    static func refusal(_ reason: String) -> DatabaseError {
        DatabaseError(.cannotOpen, "the backend store URI \(reason)")
    }

    static func shown(_ text: String) -> String { "'\(text.prefix(40))'" }
}
