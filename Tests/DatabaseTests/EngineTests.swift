import DatabaseTesting
import Testing

@testable import Database

/// What every engine has to do alike.
struct EngineTests {
    private func open(_ engine: TestEngine) throws -> (Database, TestDatabase) {
        let place = try TestDatabase(engine)
        return (try Database(location: place.location, migrations: [itemsSchema]), place)
    }

    @Test(arguments: TestEngine.available)
    func valuesComeBackAsTheyWereStored(engine: TestEngine) async throws {
        let (database, place) = try open(engine)
        let sql = "INSERT INTO items (id, name, weight, raw) VALUES (?, ?, ?, ?)"
        let rows: [[DatabaseValue]] = [
            [.int(.max), "naïve \u{1F6A2} it's \"?\"", .double(-0.1), .blob([0, 255])],
            [.int(.min + 1), "", nil, .blob([])],
            [.int(2), "x", .double(.greatestFiniteMagnitude), nil],
            [.int(3), "y", .double(.leastNonzeroMagnitude), .blob([1])],
            [.int(4), "z", .double(-0.0), nil],
        ]
        try await database.write { connection in for row in rows { try connection.execute(sql, values: row) } }
        let found = try await database.read { connection in
            try rows.compactMap { row in
                try connection.first("SELECT id, name, weight, raw FROM items WHERE id = ?", row[0]) {
                    [$0.value(0), $0.value(1), $0.value(2), $0.value(3)]
                }
            }
        }
        #expect(found == rows)
        let plain = try await database.read { connection in
            try connection.first("SELECT weight, raw, name, COUNT(*) FROM items WHERE id = ? GROUP BY 1, 2, 3", 2) {
                (
                    $0.isNull(1), $0.optionalBlob(1) == nil, $0.int(3), $0.text(2), $0.optionalDouble(0)
                )
            }
        }
        #expect(plain?.0 == true && plain?.1 == true && plain?.2 == 1 && plain?.3 == "x")
        await database.close()
        withExtendedLifetime(place) {}
    }

    @Test(arguments: TestEngine.available)
    func aBodyThatThrowsIsUndoneAlone(engine: TestEngine) async throws {
        struct Refused: Error {}
        let (database, place) = try open(engine)
        await withTaskGroup(of: Void.self) { group in
            for index in 1...200 {
                group.addTask {
                    try? await database.write { connection in
                        try connection.execute(
                            "INSERT INTO items (id, name) VALUES (?, ?)", .int(index), .text("n\(index)"))
                        if index.isMultiple(of: 2) { throw Refused() }
                        // A statement that fails inside of a body that throws spoils nothing for the others.
                        if index.isMultiple(of: 5) {
                            try connection.execute("INSERT INTO items (id, name) VALUES (1000, ?)", .text("n\(index)"))
                        }
                    }
                }
            }
        }
        let ids = try await database.read { try $0.query("SELECT id FROM items ORDER BY id") { $0.int(0) } }
        #expect(ids == Array(stride(from: 1, through: 199, by: 2)).filter { !$0.isMultiple(of: 5) })
        await database.close()
        withExtendedLifetime(place) {}
    }

    @Test(arguments: TestEngine.available)
    func manyWritesShareFewCommits(engine: TestEngine) async throws {
        let (database, place) = try open(engine)
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
        #expect(database.statistics.writeCount == 2000 && database.statistics.commitCount - before < 500)
        #expect(try await database.read { try $0.first("SELECT COUNT(*) FROM items") { $0.int(0) } } == 2000)
        await database.close()
        withExtendedLifetime(place) {}
    }

    /// Why a statement fails; nil when it does not.
    private func code(
        of sql: String, _ values: [DatabaseValue] = [], in database: Database, writing: Bool = false
    ) async -> DatabaseError.Code? {
        do {
            if writing {
                try await database.write { try $0.execute(sql, values: values) }
            } else {
                _ = try await database.read { try $0.execute(sql, values: values) }
            }
            return nil
        } catch { return (error as? DatabaseError)?.code }
    }

    @Test(arguments: TestEngine.available)
    func errorsHaveTheSameCodes(engine: TestEngine) async throws {
        let (database, place) = try open(engine)
        try await database.write { try $0.execute("INSERT INTO items (id, name) VALUES (1, 'a')") }
        let taken = await code(of: "INSERT INTO items (id, name) VALUES (2, 'a')", in: database, writing: true)
        let mistaken = await code(of: "SELECT nothing FROM items", in: database)
        let refused = await code(of: "DELETE FROM items", in: database)
        let miscounted = await code(of: "SELECT ?", [1, 2], in: database)
        #expect(taken == .constraint && mistaken == .statement && refused == .readOnly && miscounted == .statement)
        #expect(try await database.read { try $0.first("SELECT COUNT(*) FROM items") { $0.int(0) } } == 1)
        await database.close()
        withExtendedLifetime(place) {}
    }

    @Test(arguments: TestEngine.available)
    func aReadThatRunsTooLongIsStopped(engine: TestEngine) async throws {
        let place = try TestDatabase(engine)
        var configuration = DatabaseConfiguration()
        configuration.readTimeoutMilliseconds = 80
        let database = try Database(location: place.location, migrations: [itemsSchema], configuration: configuration)
        await #expect {
            try await database.read {
                try $0.first(
                    "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n) SELECT COUNT(*) FROM n"
                ) { $0.int(0) }
            }
        } throws: { ($0 as? DatabaseError)?.code == .timeout }
        #expect(try await database.read { try $0.first("SELECT 1") { $0.int(0) } } == 1)
        await database.close()
    }

    @Test(arguments: TestEngine.available)
    func manyRowsGoInAtOnceAndComeOutAsTheyArrive(engine: TestEngine) async throws {
        let (database, place) = try open(engine)
        let counts = try await database.write { connection in
            let rows: [[DatabaseValue]] = (1...500).map {
                [.int($0), .text("n\($0)"), $0 % 3 == 0 ? nil : .double(Double($0)), nil]
            }
            let columns = ["id", "name", "weight", "raw"]
            let first = try connection.insert(into: "items", columns, rows: rows, onConflict: "DO NOTHING")
            let second = try connection.insert(
                into: "items", columns, rows: rows + [[501, "more", nil, nil]], onConflict: "DO NOTHING")
            let third = try connection.insert(
                into: "items", columns, rows: [[1, "n1", .double(9), nil]],
                onConflict: "(id) DO UPDATE SET weight = excluded.weight")
            return [
                first, second, third, try connection.insert(into: "items", columns, rows: [], onConflict: "DO NOTHING"),
            ]
        }
        #expect(counts == [500, 1, 1, 0])
        struct Stop: Error {}
        let seen = try await database.read { connection in
            var all: [Int] = []
            try connection.stream("SELECT id FROM items WHERE id <= ? ORDER BY id", values: [500]) {
                all.append($0.int(0))
                return true
            }
            var some = 0
            try connection.stream("SELECT id FROM items ORDER BY id", values: []) { _ in
                some += 1
                return some < 3
            }
            #expect(throws: Stop.self) {
                try connection.stream("SELECT id FROM items", values: []) { _ in throw Stop() }
            }
            // Rows of a query may ask for more while they are read.
            let nested = try connection.query("SELECT id FROM items WHERE id < 3 ORDER BY id") { outer in
                try connection.query("SELECT id FROM items WHERE id < 3") { $0.int(0) }.count * 10 + outer.int(0)
            }
            return all + [some] + nested
        }
        #expect(seen == Array(1...500) + [3, 21, 22])
        await database.close()
        withExtendedLifetime(place) {}
    }

    @Test(arguments: TestEngine.available)
    func textsCompareByTheirBytes(engine: TestEngine) async throws {
        let (database, place) = try open(engine)
        try await database.write { connection in
            for (index, name) in ["b", "A", "a", "Z", "ä", "_", "a b"].enumerated() {
                try connection.execute("INSERT INTO items (id, name) VALUES (?, ?)", .int(index), .text(name))
            }
        }
        let names = try await database.read { try $0.query("SELECT name FROM items ORDER BY name") { $0.text(0) } }
        #expect(names == ["A", "Z", "_", "a", "a b", "b", "ä"])
        let hits = try await database.read { connection in
            try connection.query("SELECT name FROM items WHERE name LIKE ? ESCAPE '\\' ORDER BY name", "a%") {
                $0.text(0)
            }
        }
        #expect(hits == ["a", "a b"])
        await database.close()
        withExtendedLifetime(place) {}
    }

    @Test(arguments: TestEngine.available)
    func queriesMayNest(engine: TestEngine) async throws {
        let (database, place) = try open(engine)
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
        await database.close()
        withExtendedLifetime(place) {}
    }

    @Test(arguments: TestEngine.available)
    func likeRespectsCase(engine: TestEngine) async throws {
        let (database, place) = try open(engine)
        let hits = try await database.read { connection in
            try connection.first(
                """
                SELECT CASE WHEN 'Net' LIKE ? THEN 1 ELSE 0 END, CASE WHEN LOWER('Net') LIKE LOWER(?) THEN 1 ELSE 0 END
                """, "n%", "n%"
            ) { [$0.int(0), $0.int(1)] }
        }
        #expect(hits == [0, 1])
        await database.close()
        withExtendedLifetime(place) {}
    }

    @Test(arguments: TestEngine.available)
    func migrationsGoForwardAndANewerSchemaIsRefused(engine: TestEngine) async throws {
        let second = Migration(
            version: 2, name: "colours",
            statements: ["ALTER TABLE items ADD COLUMN colour TEXT NOT NULL DEFAULT 'grey'"])
        let broken = Migration(
            version: 2, name: "broken", statements: ["ALTER TABLE items ADD COLUMN colour TEXT", "CREATE NONSENSE"])
        let (database, place) = try open(engine)
        try await database.write { try $0.execute("INSERT INTO items (id, name) VALUES (1, 'a')") }
        await database.close()
        #expect(throws: DatabaseError.self) {
            try Database(location: place.location, migrations: [itemsSchema, broken])
        }
        // Servers that start together wait for one another.
        let together = try await withThrowingTaskGroup(of: Database.self, returning: [Database].self) { group in
            for _ in 0..<3 {
                group.addTask { try Database(location: place.location, migrations: [itemsSchema, second]) }
            }
            return try await group.reduce(into: []) { $0.append($1) }
        }
        for each in together {
            #expect(try await each.read { try $0.first("SELECT colour FROM items") { $0.text(0) } } == "grey")
            await each.close()
        }
        #expect { try Database(location: place.location, migrations: [itemsSchema]) } throws: {
            ($0 as? DatabaseError)?.code == .schemaTooNew
        }
    }
}
