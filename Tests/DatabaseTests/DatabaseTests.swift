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

/// What only a database in a file does; `EngineTests` has what every engine does.
struct DatabaseTests {
    let folder = TemporaryFolder()
    var path: String { "\(folder.path)/test.db" }

    func open(_ configuration: DatabaseConfiguration = DatabaseConfiguration()) throws -> Database {
        try Database(path: path, migrations: [itemsSchema], configuration: configuration)
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
