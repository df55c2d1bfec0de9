import EventLoop
import Foundation
import TestFolders
import Testing

@testable import BlobStore

@Suite struct BlobStoreTests {
    private let folder = TemporaryFolder()
    private let pool = BlockingPool(name: "test", threadCount: 4)

    private func makeStore() throws -> BlobStore { try BlobStore(path: folder.path, pool: pool) }

    private func store(_ bytes: [UInt8], in store: BlobStore, chunk: Int = 300_000) async throws -> StoredBlob {
        let writer = store.makeWriter { _ in }
        var start = 0
        while start < bytes.count {
            try await writer.append(Array(bytes[start..<min(start + chunk, bytes.count)]))
            start += chunk
        }
        try await writer.seal()
        return try await writer.persist()
    }

    private func random(_ count: Int) -> [UInt8] {
        var generator = SystemRandomNumberGenerator()
        return (0..<count / 8).flatMap { _ in withUnsafeBytes(of: generator.next()) { Array($0) } }
    }

    @Test(arguments: [0, 1, 65_536])
    func smallBlobsGoToTheIndex(size: Int) async throws {
        let store = try makeStore()
        let bytes = [UInt8](repeating: 7, count: size)
        let blob = try await self.store(bytes, in: store)
        #expect(blob.data == bytes && blob.size == Int64(size))
        #expect(folder.files(in: "blobs").isEmpty && folder.files(in: "tmp").isEmpty)
        try store.verifyInline(blob.id, bytes, checksums: blob.checksums)
    }

    @Test func largeBlobsAreFilesOutsideTmp() async throws {
        let store = try makeStore()
        let bytes = random(5_000_000)
        let blob = try await self.store(bytes, in: store)
        #expect(blob.data == nil && blob.checksums.count == 5 * 4)
        #expect(folder.files(in: "blobs").count == 1 && folder.files(in: "tmp").isEmpty)
        let file = try await store.open(blob.id, size: blob.size, checksums: blob.checksums, verifying: 0..<blob.size)
        #expect(try file.read(1_048_570..<1_048_590) == Array(bytes[1_048_570..<1_048_590]))
    }

    @Test func theObserverSeesEveryByteInOrder() async throws {
        let store = try makeStore()
        let bytes = random(3_000_000)
        let seen = Collected()
        let writer = store.makeWriter { seen.bytes.append(contentsOf: $0) }
        for start in stride(from: 0, to: bytes.count, by: 100_001) {
            try await writer.append(Array(bytes[start..<min(start + 100_001, bytes.count)]))
        }
        try await writer.seal()
        #expect(seen.bytes == bytes)
        await writer.discard()
        #expect(folder.files(in: "blobs").isEmpty && folder.files(in: "tmp").isEmpty)
    }

    private final class Collected: @unchecked Sendable { var bytes: [UInt8] = [] }

    @Test func aFlippedBitIsFoundInItsBlockAndNowhereElse() async throws {
        let store = try makeStore()
        let blob = try await self.store(random(4_000_000), in: store)
        // Checked once while it was whole: the damage must be found all the same.
        _ = try await store.open(blob.id, size: blob.size, checksums: blob.checksums, verifying: 0..<blob.size)
        try folder.damage(folder.files(in: "blobs")[0], at: 2_500_000)
        for bad in [0..<blob.size, 2_400_000..<2_400_001] as [Range<Int64>] {
            await #expect(throws: BlobError.self) {
                _ = try await store.open(blob.id, size: blob.size, checksums: blob.checksums, verifying: bad)
            }
        }
        _ = try await store.open(blob.id, size: blob.size, checksums: blob.checksums, verifying: 0..<2_097_152)
        _ = try await store.open(blob.id, size: blob.size, checksums: blob.checksums, verifying: 3_145_728..<blob.size)
    }

    @Test func aShortenedFileIsFound() async throws {
        let store = try makeStore()
        let blob = try await self.store(random(2_000_000), in: store)
        truncate("\(folder.path)/\(folder.files(in: "blobs")[0])", 1_000_000)
        let error = await #expect(throws: BlobError.self) {
            _ = try await store.open(blob.id, size: blob.size, checksums: blob.checksums, verifying: 0..<10)
        }
        #expect(error?.code == .corrupt)
    }

    @Test func aRemovedBlobStaysWhileALookUpIsInProgress() async throws {
        let store = try makeStore()
        let blob = try await self.store(random(100_000), in: store)
        let ticket = store.reclaimer.enter()
        await store.remove([blob.id])
        #expect(folder.files(in: "blobs").count == 1)
        let file = try await store.open(blob.id, size: blob.size, checksums: blob.checksums, verifying: 0..<blob.size)
        store.reclaimer.leave(ticket)
        await store.remove([])
        #expect(folder.files(in: "blobs").isEmpty)
        #expect(try file.read(0..<blob.size).count == Int(blob.size))
    }

    @Test func aPinnedBlobStaysUntilItIsLetGo() async throws {
        let store = try makeStore()
        let blob = try await self.store(random(100_000), in: store)
        store.reclaimer.pin([blob.id])
        await store.remove([blob.id])
        #expect(folder.files(in: "blobs").count == 1)
        store.reclaimer.unpin([blob.id])
        await store.remove([])
        #expect(folder.files(in: "blobs").isEmpty)
    }

    @Test func orphansGoAndTheLivingStay() async throws {
        var living: BlobID?
        var last: Int64 = 0
        do {
            let store = try makeStore()
            living = try await self.store(random(100_000), in: store).id
            _ = try await self.store(random(100_000), in: store)
            _ = FileManager.default.createFile(atPath: "\(folder.path)/tmp/1", contents: Data([1]))
            last = store.lastID
        }
        let store = try makeStore()
        #expect(folder.files(in: "tmp").isEmpty)
        store.raiseIDs(above: last)
        let alive = try #require(living)
        let fresh = try await self.store(random(100_000), in: store)
        let count = try await store.collectOrphans(upTo: last) { ids in Set(ids.filter { $0 == alive }) }
        #expect(count == 1)
        #expect(
            folder.files(in: "blobs").map { String($0.split(separator: "/").last ?? "") }.sorted()
                == [alive.fileName, fresh.id.fileName].sorted())
    }

    @Test func aFolderIsServedOnce() throws {
        let first = try makeStore()
        let error = #expect(throws: BlobError.self) { _ = try makeStore() }
        #expect(error?.code == .locked)
        withExtendedLifetime(first) {}
    }

    @Test(arguments: [".minio.sys", "format"])
    func foreignFoldersAreRefused(name: String) throws {
        try FileManager.default.createDirectory(atPath: folder.path, withIntermediateDirectories: true)
        _ = FileManager.default.createFile(
            atPath: "\(folder.path)/\(name)", contents: Data("another store's format".utf8))
        let error = #expect(throws: BlobError.self) { _ = try makeStore() }
        #expect(error?.code == .incompatible)
    }
}

@Suite struct BlobPiecesTests {
    @Test func blockChecksumsDoNotDependOnTheSplit() {
        let bytes = (0..<2_500_000).map { UInt8(truncatingIfNeeded: $0 &* 31) }
        let whole = BlockChecksums.of(bytes)
        var parts = BlockChecksums()
        for start in stride(from: 0, to: bytes.count, by: 77_777) {
            bytes[start..<min(start + 77_777, bytes.count)].withUnsafeBytes { parts.update($0) }
        }
        #expect(whole.count == 12)
        #expect(parts.finish() == whole)
    }

    @Test(arguments: ["", "..", "00", "0x1", "-1", "ff.tmp", "FF", "10000000000000000"])
    func foreignNamesAreNoBlobs(name: String) {
        #expect(BlobID(fileName: name) == nil)
    }

    @Test func namesOfBlobsAreReadBack() {
        let id = BlobID(0x6_4f2a_91b3_c0de)
        #expect(BlobID(fileName: id.fileName) == id)
        #expect(id.folderName == "64f2a91b3c")
    }

    @Test func epochsKeepWhatAnEarlierReaderMayOpen() {
        let reclaimer = Reclaimer()
        let early = reclaimer.enter()
        #expect(reclaimer.discard([BlobID(1)]).isEmpty)
        let late = reclaimer.enter()
        reclaimer.leave(early)
        #expect(reclaimer.discard([]) == [BlobID(1)])
        reclaimer.leave(late)
        #expect(!reclaimer.hasGarbage)
    }
}
