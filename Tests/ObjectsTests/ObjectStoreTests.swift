import Bytes
import Database
import Digests
import EventLoop
import Foundation
import TestFolders
import Testing

@testable import BlobStore
@testable import Objects

/// A store in a folder of its own with one bucket `b`.
struct StoreFixture {
    let folder = TemporaryFolder()
    let store: ObjectStore

    init() async throws {
        store = try await ObjectStore(folder: folder.path, pool: BlockingPool(name: "test", threadCount: 4))
        try await store.createBucket("bucket", owner: "me")
    }

    func ingest(_ bytes: [UInt8], _ algorithm: ChecksumAlgorithm? = nil) async throws -> Ingest {
        let ingest = try await store.ingest(expectedBytes: Int64(bytes.count), checksum: algorithm, sha256: false)
        try await ingest.append(bytes)
        try await ingest.seal()
        return ingest
    }

    @discardableResult
    func put(
        _ key: String, _ bytes: [UInt8], conditions: WriteConditions = WriteConditions()
    ) async throws -> ObjectInfo {
        try await store.putObject(
            bucket: "bucket", key: try ObjectKey(key), try await ingest(bytes), attributes: ObjectAttributes(),
            conditions: conditions)
    }

    func get(_ key: String, _ range: Range<Int64>? = nil) async throws -> [UInt8] {
        let (_, contents) = try await store.getObject(bucket: "bucket", key: try ObjectKey(key)) {
            object, _ throws(ObjectError) in range ?? 0..<object.size
        }
        return try await collect(contents)
    }

    func collect(_ contents: ObjectContents) async throws -> [UInt8] {
        let collected = Collected()
        try await contents.forEachChunk { collected.bytes.append(contentsOf: $0) }
        return collected.bytes
    }

    func upload(
        _ key: String, _ parts: [[UInt8]], _ algorithm: ChecksumAlgorithm? = nil, _ type: ChecksumType? = nil
    ) async throws -> (id: String, parts: [CompletedPart]) {
        let id = try await store.createUpload(
            bucket: "bucket", key: try ObjectKey(key), attributes: ObjectAttributes(), tags: [],
            checksumAlgorithm: algorithm, checksumType: type)
        var listed: [CompletedPart] = []
        for (index, part) in parts.enumerated() {
            let info = try await store.putPart(
                bucket: "bucket", key: try ObjectKey(key), upload: id, number: index + 1,
                try await ingest(part, algorithm))
            listed.append(CompletedPart(number: info.number, etag: info.etag, checksum: info.checksum))
        }
        return (id, listed)
    }

    func complete(_ key: String, _ id: String, _ parts: [CompletedPart]) async throws -> ObjectInfo {
        try await store.completeUpload(
            bucket: "bucket", key: try ObjectKey(key), id: id, parts: parts, checksum: nil, size: nil,
            conditions: WriteConditions())
    }

    private final class Collected: @unchecked Sendable { var bytes: [UInt8] = [] }
}

func code(_ body: () async throws -> Void) async -> ObjectError.Code? {
    do { try await body() } catch { return (error as? ObjectError)?.code }
    return nil
}

@Suite struct ObjectStoreTests {
    @Test(arguments: [0, 1, 65_536, 65_537, 3_000_000])
    func bytesComeBackAsTheyWent(size: Int) async throws {
        let fixture = try await StoreFixture()
        let bytes = (0..<size).map { UInt8(truncatingIfNeeded: $0 &* 17) }
        let object = try await fixture.put("a/b", bytes)
        var md5 = MD5()
        md5.update(bytes)
        #expect(object.etag == Hex.encode(md5.finalize()))
        #expect(try await fixture.get("a/b") == bytes)
        if size > 10 { #expect(try await fixture.get("a/b", 3..<Int64(size - 2)) == Array(bytes[3..<size - 2])) }
        // A key below another key, and keys that would be paths elsewhere.
        for key in ["a/b/c", "..", "../../x", "/", "\u{1F600}", String(repeating: "k", count: 1024)] {
            try await fixture.put(key, Array(key.utf8))
            #expect(try await fixture.get(key) == Array(key.utf8))
        }
    }

    @Test func textsThatUnicodeHoldsForEqualAreTwoKeys() async throws {
        let fixture = try await StoreFixture()
        try await fixture.put("caf\u{e9}", [1])
        try await fixture.put("cafe\u{301}", [2])
        #expect(try await fixture.get("caf\u{e9}") == [1])
        #expect(try await fixture.get("cafe\u{301}") == [2])
    }

    @Test func overwritingAndDeletingLeaveNoFiles() async throws {
        let fixture = try await StoreFixture()
        for _ in 0..<3 { try await fixture.put("k", [UInt8](repeating: 1, count: 200_000)) }
        #expect(fixture.folder.files(in: "blobs").count == 1)
        let usage = try await fixture.store.usage()
        #expect(usage.first?.objectCount == 1 && usage.first?.byteCount == 200_000)
        try await fixture.store.deleteObject(bucket: "bucket", key: try ObjectKey("k"))
        #expect(fixture.folder.files(in: "blobs").isEmpty)
        #expect(try await fixture.store.usage().first?.byteCount == 0)
        #expect(await code { _ = try await fixture.get("k") } == .keyNotFound)
    }

    @Test func aReaderSeesOneVersionWhileTheObjectIsReplaced() async throws {
        let fixture = try await StoreFixture()
        let old = [UInt8](repeating: 1, count: 100_000)
        let (id, parts) = try await fixture.upload("k", [[UInt8](repeating: 1, count: 5 << 20), old])
        _ = try await fixture.complete("k", id, parts)
        let (_, contents) = try await fixture.store.getObject(bucket: "bucket", key: try ObjectKey("k")) {
            object, _ throws(ObjectError) in 0..<object.size
        }
        try await fixture.put("k", [2])
        let bytes = try await fixture.collect(contents)
        #expect(bytes.count == 5 << 20 + 100_000 || bytes.count == (5 << 20) + 100_000)
        #expect(bytes.allSatisfy { $0 == 1 })
    }

    @Test func ofManyWritersWithIfNoneMatchOneWins() async throws {
        let fixture = try await StoreFixture()
        let outcomes = await withTaskGroup(of: ObjectError.Code?.self, returning: [ObjectError.Code?].self) { group in
            for number in 0..<64 {
                group.addTask {
                    await code {
                        try await fixture.put(
                            "race", [UInt8(number)], conditions: WriteConditions(ifNoneMatch: .any))
                    }
                }
            }
            return await group.reduce(into: []) { $0.append($1) }
        }
        #expect(outcomes.filter { $0 == nil }.count == 1)
        #expect(outcomes.filter { $0 == .preconditionFailed }.count == 63)
    }

    @Test func compareAndSwapLosesNoUpdate() async throws {
        let fixture = try await StoreFixture()
        try await fixture.put("counter", [0])
        await withTaskGroup(of: Void.self) { group in
            for _ in 0..<8 {
                group.addTask {
                    var done = 0
                    while done < 5 {
                        guard
                            let info = try? await fixture.store.headObject(
                                bucket: "bucket", key: try ObjectKey("counter")),
                            let value = try? await fixture.get("counter")
                        else { continue }
                        // The value may be newer than the tag: then the condition fails, which is the point.
                        let failure = await code {
                            try await fixture.put(
                                "counter", [value[0] + 1], conditions: WriteConditions(ifMatch: .list([info.etag])))
                        }
                        if failure == nil { done += 1 }
                    }
                }
            }
        }
        #expect(try await fixture.get("counter") == [40])
    }

    @Test func aCopySharesBytesAndOutlivesItsSource() async throws {
        let fixture = try await StoreFixture()
        let bytes = [UInt8](repeating: 9, count: 300_000)
        try await fixture.put("source", bytes)
        let (id, parts) = try await fixture.upload("parts", [[UInt8](repeating: 1, count: 5 << 20), [1, 2, 3]])
        _ = try await fixture.complete("parts", id, parts)
        for source in ["source", "parts"] {
            _ = try await fixture.store.copyObject(
                from: ("bucket", try ObjectKey(source)), to: ("bucket", try ObjectKey("copy-\(source)")), .init())
        }
        #expect(fixture.folder.files(in: "blobs").count == 2)
        try await fixture.store.deleteObjects(
            bucket: "bucket", keys: [try ObjectKey("source"), try ObjectKey("parts")])
        #expect(try await fixture.get("copy-source") == bytes)
        #expect(try await fixture.get("copy-parts").suffix(3) == [1, 2, 3])
        try await fixture.store.deleteObjects(
            bucket: "bucket", keys: [try ObjectKey("copy-source"), try ObjectKey("copy-parts")])
        #expect(fixture.folder.files(in: "blobs").isEmpty)
        #expect(try await fixture.store.usage().first?.objectCount == 0)
    }

    @Test func damagedSmallObjectsAreNotGivenOut() async throws {
        let fixture = try await StoreFixture()
        try await fixture.put("small", Array("hello".utf8))
        _ = try await fixture.store.write { connection in
            try connection.execute("UPDATE blobs SET data = ?", .blob(Array("jello".utf8)))
        }
        #expect(await code { _ = try await fixture.get("small") } == .corrupt)
    }

    @Test func whatIsNamedIsThereAfterAReopen() async throws {
        let folder: TemporaryFolder
        do {
            let fixture = try await StoreFixture()
            folder = fixture.folder
            try await fixture.put("small", [1])
            try await fixture.put("large", [UInt8](repeating: 3, count: 100_000))
            _ = FileManager.default.createFile(atPath: "\(folder.path)/blobs/1/1000", contents: Data([1]))
        }
        // The database's threads let go of the files shortly after the store.
        var reopened: ObjectStore?
        for _ in 0..<50 where reopened == nil {
            reopened = try? await ObjectStore(folder: folder.path, pool: BlockingPool(name: "test", threadCount: 2))
            if reopened == nil { try await Task.sleep(for: .milliseconds(20)) }
        }
        let store = try #require(reopened)
        _ = try await store.collectOrphans()
        #expect(folder.files(in: "blobs").count == 1)
        let listing = try await store.listObjects(bucket: "bucket", ListingQuery())
        #expect(listing.items.map(\.key.text) == ["large", "small"])
    }

    @Test func bucketsFollowTheRules() async throws {
        let fixture = try await StoreFixture()
        for name in [
            "ab", "A-upper", "-begins", "ends-", "a..b", "a.-b", "192.168.1.1", "under_score", "..", "xn--a",
            String(repeating: "a", count: 64), "minio",
        ] {
            #expect(
                await code { try await fixture.store.createBucket(name, owner: "me") } == .bucketNameInvalid, "\(name)")
        }
        #expect(await code { try await fixture.store.createBucket("bucket", owner: "me") } == .bucketOwned)
        #expect(await code { try await fixture.store.createBucket("bucket", owner: "you") } == .bucketExists)
        try await fixture.put("k", [1])
        #expect(await code { try await fixture.store.deleteBucket("bucket") } == .bucketNotEmpty)
        try await fixture.store.deleteObject(bucket: "bucket", key: try ObjectKey("k"))
        try await fixture.store.deleteBucket("bucket")
        #expect(await code { _ = try await fixture.store.bucket("bucket") } == .bucketNotFound)
    }
}
