import Bytes
import Glibc
import TestFolders
import Testing

@testable import Database

let itemsSchema = Migration(
    version: 1, name: "items",
    statements: [
        "CREATE TABLE items (id INTEGER PRIMARY KEY, name TEXT NOT NULL UNIQUE, weight DOUBLE PRECISION, raw BLOB)"
    ])

struct DatabaseTests {
    let folder = TemporaryFolder()
    var path: String { "\(folder.path)/test.db" }

    func open(_ configuration: DatabaseConfiguration = DatabaseConfiguration()) throws -> Database {
        try Database(path: path, migrations: [itemsSchema], configuration: configuration)
    }

    @Test func valuesComeBackAsTheyWereStored() async throws {
        let database = try open()
        try await database.write { connection in
            try connection.execute(
                "INSERT INTO items (id, name, weight, raw) VALUES (?, ?, ?, ?)", .int(.max), "naïve \u{1F6A2}",
                .double(-0.1), .blob([0, 255]))
            try connection.execute(
                "INSERT INTO items (id, name, weight, raw) VALUES (?, ?, ?, ?)", 2, "", nil, .blob([]))
        }
        let rows = try await database.read { connection in
            try connection.query("SELECT id, name, weight, raw FROM items ORDER BY id DESC") { row in
                [row.value(0), row.value(1), row.value(2), row.value(3)]
            }
        }
        #expect(
            rows == [
                [.int(.max), .text("naïve \u{1F6A2}"), .double(-0.1), .blob([0, 255])],
                [.int(2), .text(""), .null, .blob([])],
            ])
        await database.close()
    }

    @Test func aBodyThatThrowsIsUndoneAlone() async throws {
        struct Refused: Error {}
        let database = try open()
        await withTaskGroup(of: Void.self) { group in
            for index in 1...200 {
                group.addTask {
                    try? await database.write { connection in
                        try connection.execute(
                            "INSERT INTO items (id, name) VALUES (?, ?)", .int(index), .text("n\(index)"))
                        if index.isMultiple(of: 2) { throw Refused() }
                    }
                }
            }
        }
        let ids = try await database.read { try $0.query("SELECT id FROM items ORDER BY id") { $0.int(0) } }
        #expect(ids == Array(stride(from: 1, through: 199, by: 2)))
    }

    @Test func manyWritesShareFewCommits() async throws {
        let database = try open()
        let before = database.statistics.commitCount
        try await withThrowingTaskGroup(of: Int.self) { group in
            for index in 1...2000 {
                group.addTask {
                    try await database.write {
                        try $0.execute("INSERT INTO items (id, name) VALUES (?, ?)", .int(index), .text("n\(index)"))
                    }
                }
            }
            try await group.waitForAll()
        }
        #expect(database.statistics.writeCount == 2000)
        #expect(database.statistics.commitCount - before < 500)
        let count = try await database.read { try $0.first("SELECT COUNT(*) FROM items") { $0.int(0) } }
        #expect(count == 2000)
    }

    @Test func constraintsAndMistakesAreTyped() async throws {
        let database = try open()
        try await database.write { try $0.execute("INSERT INTO items (id, name) VALUES (1, 'a')") }
        await #expect {
            try await database.write { try $0.execute("INSERT INTO items (id, name) VALUES (2, 'a')") }
        } throws: {
            ($0 as? DatabaseError)?.code == .constraint
        }
        await #expect { try await database.read { try $0.execute("SELECT nothing FROM items") } } throws: {
            ($0 as? DatabaseError)?.code == .statement
        }
        await #expect { try await database.read { try $0.execute("DELETE FROM items") } } throws: {
            ($0 as? DatabaseError)?.code == .readOnly
        }
        await #expect { try await database.read { try $0.execute("SELECT ?", 1, 2) } } throws: {
            ($0 as? DatabaseError)?.code == .statement
        }
    }

    @Test func aStatementThatRunsTooLongIsStopped() async throws {
        var configuration = DatabaseConfiguration()
        configuration.readTimeoutMilliseconds = 50
        let database = try open(configuration)
        await #expect {
            try await database.read {
                try $0.first(
                    "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n) SELECT COUNT(*) FROM n"
                ) { $0.int(0) }
            }
        } throws: { ($0 as? DatabaseError)?.code == .timeout }
        #expect(try await database.read { try $0.first("SELECT 1") { $0.int(0) } } == 1)
    }

    @Test func aFullQueueRefusesAndAClosedDatabaseSaysSo() async throws {
        var configuration = DatabaseConfiguration()
        configuration.backlogCountMax = 4
        let database = try open(configuration)
        let refused = await withTaskGroup(of: Bool.self, returning: Int.self) { group in
            for index in 1...300 {
                group.addTask {
                    do {
                        try await database.write {
                            try $0.execute("INSERT INTO items (id, name) VALUES (?, ?)", .int(index), .text("\(index)"))
                        }
                        return false
                    } catch { return (error as? DatabaseError)?.code == .queueFull }
                }
            }
            return await group.reduce(0) { $0 + ($1 ? 1 : 0) }
        }
        let stored = try await database.read { try $0.first("SELECT COUNT(*) FROM items") { $0.int(0) } ?? 0 }
        #expect(stored + refused == 300)
        await database.close()
        await #expect { try await database.read { try $0.execute("SELECT 1") } } throws: {
            ($0 as? DatabaseError)?.code == .closed
        }
        // The last connection to close folds the log into the file; readers close on their own threads.
        for _ in 0..<50 where folder.names.contains("test.db-wal") { try await Task.sleep(for: .milliseconds(100)) }
        #expect(!folder.names.contains("test.db-wal"))
    }

    @Test func queriesMayNest() async throws {
        let database = try open()
        try await database.write { connection in
            for index in 1...3 {
                try connection.execute("INSERT INTO items (id, name) VALUES (?, ?)", .int(index), .text("\(index)"))
            }
        }
        let pairs = try await database.read { connection in
            try connection.query("SELECT id FROM items ORDER BY id") { outer in
                try connection.query("SELECT id FROM items ORDER BY id") { $0.int(0) }.count * 10 + outer.int(0)
            }
        }
        #expect(pairs == [31, 32, 33])
    }

    @Test func likeRespectsCase() async throws {
        let database = try open()
        let hits = try await database.read { connection in
            try connection.first("SELECT 'Net' LIKE ?, LOWER('Net') LIKE LOWER(?)", "n%", "n%") {
                [$0.int(0), $0.int(1)]
            }
        }
        #expect(hits == [0, 1])
    }
}

struct DurabilityTests {
    let folder = TemporaryFolder()

    /// What a killed process leaves is what the files hold at that moment: copy them under load and open the copy.
    @Test func aCopyOfTheFilesHoldsEveryAcknowledgedWrite() async throws {
        let database = try Database(path: "\(folder.path)/test.db", migrations: [itemsSchema])
        for round in 0..<5 {
            try await withThrowingTaskGroup(of: Int.self) { group in
                for index in 1...100 {
                    group.addTask {
                        try await database.write {
                            try $0.execute("INSERT INTO items (name) VALUES (?)", .text("\(round)-\(index)"))
                        }
                    }
                }
                try await group.waitForAll()
            }
            for suffix in ["", "-wal"] { try copy("test.db\(suffix)", "copy\(round).db\(suffix)") }
            let reopened = try Database(path: "\(folder.path)/copy\(round).db", migrations: [itemsSchema])
            let count = try await reopened.read { try $0.first("SELECT COUNT(*) FROM items") { $0.int(0) } }
            #expect(count == (round + 1) * 100)
            await reopened.close()
        }
    }

    private func copy(_ from: String, _ to: String) throws {
        let source = Glibc.open("\(folder.path)/\(from)", O_RDONLY)
        let target = Glibc.open("\(folder.path)/\(to)", O_WRONLY | O_CREAT, 0o600)
        defer {
            _ = Glibc.close(source)
            _ = Glibc.close(target)
        }
        try #require(source >= 0 && target >= 0)
        var buffer = [UInt8](repeating: 0, count: 1 << 16)
        while true {
            let count = buffer.withUnsafeMutableBytes { read(source, $0.baseAddress, $0.count) }
            guard count > 0 else { break }
            #expect(buffer.withUnsafeBytes { write(target, $0.baseAddress, count) } == count)
        }
    }
}
