import Bytes
import Clock
import Foundation
import TestFolders
import Testing

@testable import Objects

@Suite struct MultipartTests {
    private let large = [UInt8](repeating: 5, count: 5 << 20)

    @Test func partsBecomeOneObject() async throws {
        let fixture = try await StoreFixture()
        let (id, parts) = try await fixture.upload("k", [large, Array("tail".utf8)])
        let object = try await fixture.complete("k", id, parts)
        #expect(object.etag.hasSuffix("-2") && object.size == Int64(large.count + 4))
        #expect(
            try await fixture.get("k", Int64(large.count - 2)..<Int64(large.count + 4)) == [5, 5] + Array("tail".utf8))
        // Again: the same answer, as long as the object is in place.
        #expect(try await fixture.complete("k", id, parts).etag == object.etag)
        try await fixture.put("k", [1])
        #expect(await code { _ = try await fixture.complete("k", id, parts) } == .uploadNotFound)
        #expect(fixture.folder.files(in: "blobs").isEmpty)
    }

    @Test(arguments: ChecksumAlgorithm.allCases)
    func wholeAndCompositeChecksums(algorithm: ChecksumAlgorithm) async throws {
        let fixture = try await StoreFixture()
        let tail = (0..<100_003).map { UInt8(truncatingIfNeeded: $0 &* 7) }
        if algorithm.isLinear {
            let (id, parts) = try await fixture.upload("full", [large, tail], algorithm, .fullObject)
            let object = try await fixture.complete("full", id, parts)
            #expect(object.checksum?.text == Base64.encode(Checksum.value(algorithm, of: large + tail)))
        }
        guard algorithm != .crc64nvme else { return }
        let (id, parts) = try await fixture.upload("composite", [large, tail], algorithm)
        let object = try await fixture.complete("composite", id, parts)
        let inner = Checksum.value(algorithm, of: large) + Checksum.value(algorithm, of: tail)
        #expect(object.checksum?.text == "\(Base64.encode(Checksum.value(algorithm, of: inner)))-2")
    }

    @Test func tenCompletionsAtOnceMakeOneWholeObject() async throws {
        let fixture = try await StoreFixture()
        let (id, parts) = try await fixture.upload("k", [large, [1, 2, 3]])
        let outcomes = await withTaskGroup(of: ObjectError.Code?.self, returning: [ObjectError.Code?].self) { group in
            for _ in 0..<10 { group.addTask { await code { _ = try await fixture.complete("k", id, parts) } } }
            return await group.reduce(into: []) { $0.append($1) }
        }
        #expect(outcomes.allSatisfy { $0 == nil })
        #expect(try await fixture.get("k").count == large.count + 3)
        #expect(try await fixture.store.usage().first?.objectCount == 1)
    }

    @Test func completionRacingAbortLeavesAllOrNothing() async throws {
        let fixture = try await StoreFixture()
        for _ in 0..<5 {
            let (id, parts) = try await fixture.upload("k", [[1, 2, 3]])
            async let completion = code { _ = try await fixture.complete("k", id, parts) }
            async let abort = code {
                try await fixture.store.abortUpload(bucket: "bucket", key: try ObjectKey("k"), id: id)
            }
            let outcomes = await (completion, abort)
            #expect((outcomes.0 == nil) != (outcomes.1 == nil))
            if outcomes.0 == nil { #expect(try await fixture.get("k") == [1, 2, 3]) }
            try await fixture.store.deleteObject(bucket: "bucket", key: try ObjectKey("k"))
        }
    }

    @Test func wrongListsAreRefusedAndChangeNothing() async throws {
        let fixture = try await StoreFixture()
        let (id, parts) = try await fixture.upload("k", [large, [1], [2]])
        func attempt(_ list: [CompletedPart]) async -> ObjectError.Code? {
            await code { _ = try await fixture.complete("k", id, list) }
        }
        #expect(await attempt([]) == .partListInvalid)
        #expect(await attempt([parts[1], parts[0]]) == .partOrderInvalid)
        #expect(await attempt([CompletedPart(number: 9, etag: parts[0].etag, checksum: nil)]) == .partNotFound)
        #expect(await attempt([CompletedPart(number: 1, etag: "0", checksum: nil)]) == .partNotFound)
        #expect(await attempt(parts) == .partTooSmall)
        // Parts that are not listed go.
        _ = try await fixture.complete("k", id, [parts[0], parts[2]])
        #expect(try await fixture.get("k").last == 2)
        #expect(fixture.folder.files(in: "blobs").count == 1)
    }

    @Test func partsAreReplacedListedAndExpired() async throws {
        let fixture = try await StoreFixture()
        let key = try ObjectKey("k")
        let (id, _) = try await fixture.upload("k", [large, [1]])
        _ = try await fixture.store.putPart(
            bucket: "bucket", key: key, upload: id, number: 1, try await fixture.ingest([9]))
        let (_, parts) = try await fixture.store.listParts(
            bucket: "bucket", key: key, upload: id, after: 0, countMax: 10)
        #expect(parts.map(\.number) == [1, 2] && parts.map(\.size) == [1, 1])
        #expect(fixture.folder.files(in: "blobs").isEmpty)
        #expect(
            await code {
                _ = try await fixture.store.putPart(
                    bucket: "bucket", key: key, upload: id, number: 10_001, try await fixture.ingest([9]))
            } == .partNumberInvalid)
        #expect(try await fixture.store.expireUploads(before: .now) == 1)
        #expect(
            await code { _ = try await fixture.store.upload(bucket: "bucket", key: key, id: id) } == .uploadNotFound)
    }

    @Test func uploadsAreListedByKeyAndIdInPages() async throws {
        let fixture = try await StoreFixture()
        for key in ["b", "a", "a", "a", "c/d", "c/e"] { _ = try await fixture.upload(key, []) }
        var query = ListingQuery()
        query.countMax = 2
        var seen: [String] = []
        while true {
            let page = try await fixture.store.listUploads(bucket: "bucket", query)
            seen += page.items.map { "\($0.key.text) \($0.id)" }
            guard let next = page.next else { break }
            query.after = next
        }
        #expect(seen.count == 6 && seen == seen.sorted() && Set(seen).count == 6)
        var delimited = ListingQuery()
        delimited.delimiter = Array("/".utf8)
        #expect(try await fixture.store.listUploads(bucket: "bucket", delimited).commonPrefixes == [Array("c/".utf8)])
    }
}
