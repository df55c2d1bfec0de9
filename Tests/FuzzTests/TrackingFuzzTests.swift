import Bytes
import Testing

@testable import Database
@testable import Tracking

struct TrackingFuzzTests {
    @Test func filtersNeverCrashAndNeverBecomeSQL() throws {
        let samples = [
            "metrics.loss < 0.5 AND params.`a b` = 'x' and tags.\"k\" ILIKE '%y'", "run_id NOT IN ('a', \"b\")",
            "tags.mlflow.source.name IS NOT NULL", "start_time >= 1e9", "dataset.context = 'it''s'",
        ]
        try Fuzzing.run("FilterParser", samples: samples) { input, _ in
            let text = String(utf8: input)
            var query = SearchQuery(.runs)
            guard (try? query.require(filter: text)) != nil else { return }
            let (sql, values) = query.select("b.run_id", tieBreak: "b.run_id", limit: 1, offset: 0)
            #expect(sql.utf8.count { $0 == UInt8(ascii: "?") } == values.count)
        }
    }

    @Test func orderingsAndTokensNeverCrash() throws {
        try Fuzzing.run("SearchOrder", samples: ["metrics.`a` DESC", "start_time ASC", "cDE6MTA6Nw"]) { input, _ in
            let text = String(utf8: input)
            var query = SearchQuery(.loggedModels)
            _ = try? query.order(by: [text])
            _ = try? PageToken(text)
        }
    }

    @Test func backendStoreURIsNeverCrashAndNeverShowThePassword() throws {
        let samples = [
            "postgresql+psycopg2://u:p%40ss@[::1]:5432/db?sslmode=require&host=/x", "sqlite:////a/b.db?x=1",
            "postgres://u:s@cr@h:1/d", "mysql://u:p@h/d",
        ]
        try Fuzzing.run("BackendStoreURI", samples: samples) { input, _ in
            let text = String(utf8: input)
            guard case .server(let address)? = try? DatabaseLocation(uri: text) else { return }
            var hidden = address
            hidden.password = "another"
            #expect("\(hidden)" == "\(address)")
            for part in [address.host, address.user, address.password, address.database] {
                #expect(part?.utf8.contains(0) != true && part?.isEmpty != true)
            }
        }
    }

    @Test func placeholdersAreCountedAlike() throws {
        let samples = ["a = ? AND b = '?' AND \"c?\" = ?", "'it''s ?' LIKE ? ESCAPE '\\'"]
        try Fuzzing.run("Placeholders", samples: samples) { input, _ in
            let (sql, count) = PostgresDialect.numbered(String(utf8: input))
            // Byte by byte: `$1` before a combining accent is no "$1" to `String`.
            #expect(count == 0 || Array(sql.utf8).contains("$\(count)".utf8))
        }
    }

    @Test func pathsThatAreTakenStayInside() throws {
        let samples = ["a/b.txt", "%2e%2e/x", "a//b", "..", "x%252fy", "a/%2e/b", "\\..\\", "file:///etc", "a#b"]
        try Fuzzing.run("ArtifactPath", samples: samples) { input, _ in
            let text = String(utf8: input)
            guard let path = try? ArtifactLocation.relativePath(text) else { return }
            let parts = path.utf8.split(separator: UInt8(ascii: "/"), omittingEmptySubsequences: false).map(Array.init)
            #expect(parts.allSatisfy { $0 != Array("..".utf8) && $0 != Array(".".utf8) })
            #expect(path.isEmpty || parts.first != [])
        }
    }
}
