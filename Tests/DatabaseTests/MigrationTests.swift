import Glibc
import TestFolders
import Testing

@testable import Database

struct MigrationTests {
    let folder = TemporaryFolder()
    var path: String { "\(folder.path)/test.db" }
    let second = Migration(
        version: 2, name: "colours", statements: ["ALTER TABLE items ADD COLUMN colour TEXT NOT NULL DEFAULT 'grey'"])

    @Test func anOldFileIsCopiedAndBroughtForward() async throws {
        let old = try Database(path: path, migrations: [itemsSchema])
        try await old.write { try $0.execute("INSERT INTO items (id, name) VALUES (1, 'a')") }
        await old.close()
        let new = try Database(path: path, migrations: [itemsSchema, second])
        #expect(try await new.read { try $0.first("SELECT colour FROM items") { $0.text(0) } } == "grey")
        await new.close()
        #expect(folder.names.contains("test.db.before-v2"))
    }

    @Test func aNewerFileIsRefusedWithAReason() async throws {
        await (try Database(path: path, migrations: [itemsSchema, second])).close()
        #expect { try Database(path: path, migrations: [itemsSchema]) } throws: { error in
            guard let error = error as? DatabaseError else { return false }
            return error.code == .schemaTooNew && error.message.contains("version 2")
        }
    }

    @Test func aFailedStepLeavesTheFileAsItWas() async throws {
        let broken = Migration(
            version: 2, name: "broken", statements: ["ALTER TABLE items ADD COLUMN colour TEXT", "CREATE NONSENSE"])
        await (try Database(path: path, migrations: [itemsSchema])).close()
        #expect(throws: DatabaseError.self) { try Database(path: path, migrations: [itemsSchema, broken]) }
        let reopened = try Database(path: path, migrations: [itemsSchema, second])
        #expect(try await reopened.read { try $0.first("SELECT COUNT(colour) FROM items") { $0.int(0) } } == 0)
    }

    @Test func aDamagedFileIsNamedSo() async throws {
        await (try Database(path: path, migrations: [itemsSchema])).close()
        let descriptor = open(path, O_WRONLY)
        let noise: [UInt8] = Array(repeating: 0x5a, count: 8192)
        _ = noise.withUnsafeBytes { write(descriptor, $0.baseAddress, $0.count) }
        _ = Glibc.close(descriptor)
        #expect { try Database(path: path, migrations: [itemsSchema]) } throws: {
            ($0 as? DatabaseError)?.code == .corrupt
        }
    }

    @Test func aFolderThatIsMissingIsNamedSo() {
        #expect { try Database(path: "\(folder.path)/none/test.db", migrations: [itemsSchema]) } throws: {
            ($0 as? DatabaseError)?.code == .cannotOpen
        }
    }
}
