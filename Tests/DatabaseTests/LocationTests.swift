import Testing

@testable import Database

struct LocationTests {
    private func address(_ uri: String) throws -> PostgresAddress {
        guard case .server(let address) = try DatabaseLocation(uri: uri) else {
            throw DatabaseError(.other, "not a server")
        }
        return address
    }

    @Test(arguments: [
        ("sqlite:///mlflow.db", "mlflow.db"), ("sqlite:////var/x.db", "/var/x.db"),
        ("sqlite:///a.db?timeout=3", "a.db"),
        ("SQLite+pysqlite:///x", "x"),
    ])
    func files(uri: String, path: String) throws { #expect(try DatabaseLocation(uri: uri) == .file(path)) }

    @Test func servers() throws {
        let plain = try address("postgresql://mlflowuser:mlflowpassword@mlflow-backend-store/mlflow")
        #expect(
            plain
                == PostgresAddress(
                    host: "mlflow-backend-store", user: "mlflowuser", password: "mlflowpassword", database: "mlflow"))
        let escaped = try address(
            "postgresql+psycopg2://u%40x:p%40ss%2F%3A%25@[::1]:5433/my%20db?sslmode=require&application_name=a%26b")
        #expect(escaped.host == "::1" && escaped.port == 5433 && escaped.user == "u@x")
        #expect(escaped.password == "p@ss/:%" && escaped.database == "my db")
        #expect(escaped.parameters == ["sslmode": "require", "application_name": "a&b"])
        let socket = try address("postgresql:///db?host=/var/run/postgresql&port=6000")
        #expect(socket.host == "/var/run/postgresql" && socket.port == 6000 && socket.user == nil)
        #expect(try address("postgres://u:a@b@h/d").password == "a@b")
        #expect(try address("postgresql://h").database == nil)
        #expect(try address("postgresql+psycopg://u:p:q@h:1/d").password == "p:q")
    }

    @Test func theDescriptionLeavesThePasswordOut() throws {
        let address = try address("postgresql://u:hidden@h:1/d")
        #expect("\(address)" == "h port 1, database d, user u")
        #expect(address.options.contains { $0.name == "password" && $0.value == "hidden" })
    }

    @Test(arguments: [
        ("mysql://u:hidden@h/d", "'mysql'"), ("mysql+pymysql://u:hidden@h/d", "'mysql+pymysql'"),
        ("mssql://h/d", "'mssql'"),
        ("file:///tmp/mlruns", "'file'"), ("./mlruns", "no URI"), ("sqlite://", "no file"), ("sqlite:///", "no file"),
        ("sqlite:///:memory:", "memory"), ("postgresql+nonsense://u:hidden@h/d", "driver 'nonsense'"),
        ("postgresql://u:hidden@h:99999/d", "port '99999'"), ("postgresql://u:hidden@h:x/d", "port 'x'"),
        ("postgresql://u:hidden@::1/d", "brackets"), ("postgresql://u:hidden@[::1/d", "bracket"),
        ("postgresql://u:hidden%zz@h/d", "escape in its password"), ("postgresql://u:p%00@h/d", "escape"),
        ("postgresql://u:hidden@h/d?sslmode", "NAME=VALUE"), ("", "no URI"),
    ])
    func othersAreRefusedByName(uri: String, reason: String) {
        #expect { try DatabaseLocation(uri: uri) } throws: { error in
            guard let error = error as? DatabaseError else { return false }
            return error.code == .cannotOpen && error.message.contains(reason) && !error.message.contains("hidden")
        }
    }

    @Test(arguments: [
        ("SELECT ?", "SELECT $1"), ("a = ? AND b = '?' AND \"c?\" = ?", "a = $1 AND b = '?' AND \"c?\" = $2"),
        ("'it''s ?' ?", "'it''s ?' $1"), ("x LIKE ? ESCAPE '\\'", "x LIKE $1 ESCAPE '\\'"),
    ])
    func placeholdersAreNumbered(sql: String, expected: String) {
        #expect(PostgresDialect.numbered(sql).sql == expected)
    }
}
