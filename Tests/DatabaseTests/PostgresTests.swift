import DatabaseTesting
import Glibc
import Testing

@testable import Database

/// What only a server can do wrong. Each test has a server or a proxy of its own, so they run one after another.
@Suite(.serialized, .enabled(if: TestPostgres.isInstalled))
struct PostgresTests {
    private func open(_ address: PostgresAddress) throws -> Database {
        try Database(location: .server(address), migrations: [itemsSchema])
    }

    private func count(_ database: Database) async throws -> Int {
        try await database.read { try $0.first("SELECT COUNT(*) FROM items") { $0.int(0) } ?? -1 }
    }

    private func insert(_ id: Int, _ database: Database) async throws {
        try await database.write {
            try $0.execute("INSERT INTO items (id, name) VALUES (?, ?)", .int(id), .text("n\(id)"))
        }
    }

    @Test func whatIsAcknowledgedOutlivesTheServersCrash() async throws {
        let server = try TestPostgres(for: getpid())
        defer { try? server.stop() }
        let database = try open(server.address)
        for round in 0..<3 {
            for index in 1...20 { try await insert(round * 100 + index, database) }
            // Writers that are under way meanwhile either succeed or say why not; none is stored twice.
            let pending = Task.detached { () -> Int in
                var done = 0
                for index in 50..<60 where (try? await insert(round * 100 + index, database)) != nil { done += 1 }
                return done
            }
            try server.restart(immediate: round != 1)
            let done = await pending.value
            #expect(try await count(database) >= (round + 1) * 20 + done)
        }
        await database.close()
    }

    @Test func aServerThatIsAwayIsSaidToBe() async throws {
        let server = try TestPostgres(for: getpid())
        let database = try open(server.address)
        try server.stop()
        await #expect { try await insert(1, database) } throws: { ($0 as? DatabaseError)?.code == .unavailable }
        await #expect { try await count(database) } throws: { ($0 as? DatabaseError)?.code == .unavailable }
        await database.close()
    }

    @Test(arguments: [FaultyProxy.Fault.beforeCommit, .afterCommit])
    func aConnectionLostAroundACommitStoresOnce(fault: FaultyProxy.Fault) async throws {
        let direct = try TestPostgres.shared.get().makeDatabase("fault\(fault)")
        let proxy = try FaultyProxy(to: direct.port ?? 0)
        var address = direct
        address.port = proxy.port
        let database = try open(address)
        proxy.arm(fault)
        try await insert(1, database)
        #expect(proxy.wasTriggered)
        // It makes its own key: a second copy would be taken.
        proxy.arm(fault)
        try await database.write {
            try $0.execute("INSERT INTO items (id, name) SELECT MAX(id) + 1, 'n' || (MAX(id) + 1) FROM items")
        }
        #expect(proxy.wasTriggered)
        #expect(try await count(database) == 2)
        await database.close()
    }

    @Test func aCommitWhoseFateNobodyKnowsIsAnError() async throws {
        let direct = try TestPostgres.shared.get().makeDatabase("unknown")
        let proxy = try FaultyProxy(to: direct.port ?? 0)
        var address = direct
        address.port = proxy.port
        let database = try open(address)
        proxy.arm(.goneForGood)
        await #expect { try await insert(1, database) } throws: { ($0 as? DatabaseError)?.code == .outcomeUnknown }
        await database.close()
        let after = try open(direct)
        #expect(try await count(after) == 1)
        await after.close()
    }

    @Test func startUpErrorsNameThePlaceAndNeverThePassword() throws {
        let server = try TestPostgres.shared.get()
        func message(_ change: (inout PostgresAddress) -> Void) -> String {
            var address = server.address
            change(&address)
            do {
                _ = try open(address)
                return "opened"
            } catch { return "\(error)" }
        }
        let port = server.address.port ?? 0
        let cases: [(String, [String])] = [
            (
                message { $0.password = "hidden1" },
                ["password authentication failed", "port \(port)", "check the user"]
            ),
            (message { $0.database = "nowhere" }, ["database nowhere", "does not exist", "create it"]),
            (message { $0.user = "nobody" }, ["user nobody", "password authentication failed"]),
            (message { $0.host = "no-such-host.invalid" }, ["no-such-host.invalid", "correct the host name"]),
            (message { $0.port = 1 }, ["127.0.0.1 port 1", "refused", "start PostgreSQL"]),
            (message { $0.parameters["sslmod"] = "x" }, ["invalid connection option \"sslmod\""]),
        ]
        for (text, parts) in cases {
            for part in parts { #expect(text.contains(part), "\(text)") }
            #expect(!text.contains("hidden1") && !text.contains(server.address.password ?? "?"), "\(text)")
        }
    }

    @Test func tablesOfTheReferenceServerAreLeftAlone() async throws {
        let address = try TestPostgres.shared.get().makeDatabase("foreign")
        let connection = try PostgresConnection(address, .writing)
        try connection.run("CREATE TABLE alembic_version (version_num TEXT)")
        #expect { try open(address) } throws: { "\($0)".contains("create an empty database") }
    }

    @Test func aTextWithNULIsRefusedAndAFloodOfTextsIsTaken() async throws {
        let database = try open(try TestPostgres.shared.get().makeDatabase("texts"))
        await #expect { try await database.read { try $0.execute("SELECT ?", "a\0b") } } throws: {
            ($0 as? DatabaseError)?.code == .valueRefused
        }
        let sum = try await database.read { connection in
            try (1...600).reduce(0) { sum, index in
                try connection.first("SELECT \(index) + ?", 1) { $0.int(0) + sum } ?? 0
            }
        }
        #expect(sum == (1...600).reduce(0) { $0 + $1 + 1 })
        await database.close()
    }
}
