import HTTP
import HTTPClient
import Synchronization
import Testing

@testable import ObjectClient

/// Gives blocks of one byte, as a body that streams does.
private final class Blocks: BodySource {
    private let left: Mutex<Int>
    let trailers = HTTPFields()

    init(count: Int) { left = Mutex(count) }

    func next() async throws -> [UInt8]? {
        left.withLock { left in
            guard left > 0 else { return nil }
            left -= 1
            return [UInt8](repeating: UInt8(left % 251), count: 1000)
        }
    }
}

@Suite("ObjectClient and a real store", .timeLimit(.minutes(2))) struct StoreTests {
    @Test func objectsComeBackAsTheyWere() async throws {
        try await withStore { client in
            for key in ["plain", "a b+c/ä&<>%25\"?#", "folder/", "x//y/./z", "\u{1F600}"] {
                let bytes = Array("what lies at \(key)".utf8)
                let etag = try await client.put(
                    bucket: "box", key: key, body: .bytes(bytes), contentType: "text/x-test")
                #expect(try await client.read(bucket: "box", key: key, bytesMax: 1000) == bytes, "\(key)")
                let fields = try #require(try await client.head(bucket: "box", key: key))
                #expect(fields["Content-Type"] == "text/x-test" && fields["ETag"] == "\"\(etag)\"")
                let part = try await client.get(bucket: "box", key: key, range: 5...8).collect(bytesMax: 10)
                #expect(part == Array(bytes[5...8]))
            }
            let keys = try await client.listAll(bucket: "box", prefix: "", countMax: 10).map(\.key)
            #expect(keys.count == 5 && keys.contains("a b+c/ä&<>%25\"?#"))
            try await client.copy(fromBucket: "box", fromKey: "a b+c/ä&<>%25\"?#", toBucket: "box", toKey: "copy")
            #expect(try await client.head(bucket: "box", key: "copy")?["Content-Type"] == "text/x-test")
            try await client.delete(bucket: "box", key: "copy")
            try await client.delete(bucket: "box", key: "copy")
            #expect(try await client.head(bucket: "box", key: "copy") == nil)
        }
    }

    @Test func streamsInBothDirections() async throws {
        try await withStore { client in
            let body = RequestBody(source: Blocks(count: 700), length: 700_000)
            try await client.put(bucket: "box", key: "s", body: .stream(body), length: 700_000)
            let counts = Mutex((pieces: 0, bytes: 0))
            try await client.read(bucket: "box", key: "s") { piece in
                counts.withLock { $0 = ($0.pieces + 1, $0.bytes + piece.count) }
            }
            #expect(counts.withLock { $0.bytes == 700_000 && $0.pieces > 1 })
            // A person's limit holds however much the store has.
            await #expect(throws: (any Error).self) {
                _ = try await client.read(bucket: "box", key: "s", bytesMax: 1000)
            }
        }
    }

    @Test func listingsGoOnFromPageToPage() async throws {
        try await withStore { client in
            try await fill(client, 1005)
            let first = try await client.list(bucket: "box", prefix: "many/")
            #expect(first.objects.count == 1000 && first.objects[0].key == "many/0000" && first.objects[0].size == 1)
            let token: String = try #require(first.continuationToken)
            let second = try await client.list(bucket: "box", prefix: "many/", continuationToken: token)
            #expect(second.objects.map(\.key) == (1000..<1005).map(key) && second.continuationToken == nil)
            let all = try await client.listAll(bucket: "box", prefix: "many/", countMax: 1005)
            #expect(all.map(\.key) == (0..<1005).map(key))
            let error = await refusal { _ = try await client.listAll(bucket: "box", prefix: "", countMax: 1004) }
            #expect(error?.code == "TooManyObjects")
            let folders = try await client.list(bucket: "box", delimiter: "/")
            #expect(folders.commonPrefixes == ["many/"] && folders.objects.isEmpty)
        }
    }

    @Test func aThousandGoInOneRequestAndNotMore() async throws {
        try await withStore { client in
            try await fill(client, 1005)
            let keys = (0..<1005).map(key)
            let error = await refusal { _ = try await client.delete(bucket: "box", keys: keys) }
            #expect(error?.code == "MalformedXML")
            #expect(try await client.listAll(bucket: "box", prefix: "", countMax: 2000).count == 1005)
            let outcome = try await client.delete(bucket: "box", keys: Array(keys.prefix(999)) + ["not-there"])
            #expect(outcome.removed.count == 1000 && outcome.failure == nil)
            _ = try await client.delete(bucket: "box", keys: Array(keys.suffix(6)))
            #expect(try await client.list(bucket: "box").objects.isEmpty)
        }
    }

    @Test func uploadsInParts() async throws {
        try await withStore { client in
            let fields: HTTPFields = ["Content-Type": "application/x-model", "x-amz-meta-accuracy": "0.97"]
            let upload = try await client.beginUpload(bucket: "box", key: "large", fields: fields)
            let large = [UInt8](repeating: 7, count: 5 << 20)
            let second = try await client.uploadPart(
                bucket: "box", key: "large", upload: upload, number: 2, body: .bytes([1, 2, 3]))
            let first = try await client.uploadPart(
                bucket: "box", key: "large", upload: upload, number: 1, body: .bytes(large))
            // Given in any order; the store wants them by number.
            try await client.completeUpload(bucket: "box", key: "large", upload: upload, parts: [second, first])
            #expect(try await client.read(bucket: "box", key: "large", bytesMax: 6 << 20) == large + [1, 2, 3])
            let found = try #require(try await client.head(bucket: "box", key: "large"))
            #expect(found["x-amz-meta-accuracy"] == "0.97" && found["Content-Type"] == "application/x-model")
        }
    }

    @Test func anUploadThatIsGivenUpLeavesNothing() async throws {
        try await withStore { client in
            let upload = try await client.beginUpload(bucket: "box", key: "a", fields: HTTPFields())
            let part = try await client.uploadPart(
                bucket: "box", key: "a", upload: upload, number: 1, body: .bytes([1]))
            let wrong = UploadedPart(number: 1, etag: String(repeating: "0", count: 32))
            let refused = await refusal {
                try await client.completeUpload(bucket: "box", key: "a", upload: upload, parts: [wrong])
            }
            #expect(refused?.code == "InvalidPart")
            try await client.abortUpload(bucket: "box", key: "a", upload: upload)
            let late = await refusal {
                try await client.completeUpload(bucket: "box", key: "a", upload: upload, parts: [part])
            }
            #expect(late?.code == "NoSuchUpload" && late?.isNotFound == true)
            #expect(try await client.head(bucket: "box", key: "a") == nil)
        }
    }

    @Test func bucketsAndTheirErrors() async throws {
        try await withStore { client in
            #expect(try await client.listBuckets().map(\.name) == ["box"])
            #expect(try await client.bucketExists("box"))
            #expect(try await !client.bucketExists("other"))
            try await client.createBucket("box")
            let owned = await refusal { try await client.makeBucket("box") }
            #expect(owned?.code == "BucketAlreadyOwnedByYou")
            let named = await refusal { try await client.makeBucket("No_Capitals") }
            #expect(named?.code == "InvalidBucketName")
            try await client.put(bucket: "box", key: "k", body: .bytes([1]))
            let full = await refusal { try await client.removeBucket("box") }
            #expect(full?.code == "BucketNotEmpty")
            let missing = await refusal { _ = try await client.list(bucket: "other") }
            #expect(missing?.code == "NoSuchBucket" && missing?.isNotFound == true && missing?.status == 404)
            #expect(missing?.message == "The specified bucket does not exist: other.")
            let object = await refusal { _ = try await client.read(bucket: "box", key: "none", bytesMax: 10) }
            #expect(object?.code == "NoSuchKey" && object?.isNotFound == true)
        }
    }

    @Test func whoeverIsNotBelievedIsTold() async throws {
        try await withStore { client in
            let port = try #require(client.endpoint.url.split(separator: ":").last.flatMap { Int($0) })
            let wrong = makeClient(port: port, secret: "another-secret")
            let stranger = makeClient(port: port, user: "nobody")
            let nameless = ObjectClient(endpoint: ObjectEndpoint(url: client.endpoint.url, credential: nil))
            for (one, code) in [
                (wrong, "SignatureDoesNotMatch"), (stranger, "InvalidAccessKeyId"), (nameless, "AccessDenied"),
            ] {
                let list = await refusal { _ = try await one.list(bucket: "box") }
                #expect(list?.code == code)
                // An answer to HEAD has no body, and a refusal is not an absence.
                let head = await refusal { _ = try await one.bucketExists("box") }
                #expect(head?.code == code && head?.isNotFound == false)
            }
        }
    }

    private func key(_ number: Int) -> String {
        "many/" + String(repeating: "0", count: 4 - "\(number)".count) + "\(number)"
    }

    private func fill(_ client: ObjectClient, _ count: Int) async throws {
        try await withThrowingTaskGroup(of: Void.self) { group in
            for number in 0..<count {
                if number >= 16 { try await group.next() }
                let key = key(number)
                group.addTask { try await client.put(bucket: "box", key: key, body: .bytes([1])) }
            }
            try await group.waitForAll()
        }
    }
}
