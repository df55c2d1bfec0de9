// How a registry lies in an object store: one bucket for each kind of thing, keys that cannot run into one another because a
// repository's name holds no colon. Durability, checks of what is read and collection of lost files are the object store's.

import Bytes
package import Objects

/// The things of a registry in the buckets of one object store.
package struct RegistryStore: Sendable {
    enum Kind: String, CaseIterable, Sendable {
        /// `HEX`: the bytes of a layer or configuration.
        case blobs
        /// `NAME:HEX`, empty: this repository has the blob.
        case links
        /// `NAME:HEX`: a manifest; its media type is the object's.
        case manifests
        /// `NAME:TAG`: the digest that the tag stands for.
        case tags
        /// `NAME:SUBJECT:HEX`: the descriptor of a manifest that names SUBJECT.
        case referrers
    }

    static let owner = "registry"
    let objects: ObjectStore

    /// Prepares the buckets of `objects`.
    package init(objects: ObjectStore) async throws {
        self.objects = objects
        let present = Set(try await objects.listBuckets().map(\.name))
        for kind in Kind.allCases where !present.contains(kind.rawValue) {
            try await objects.createBucket(kind.rawValue, owner: Self.owner)
        }
    }

    func exists(_ kind: Kind, _ key: String) async throws -> ObjectInfo? {
        let object = try ObjectKey(key)
        do {
            return try await objects.headObject(bucket: kind.rawValue, key: object)
        } catch {
            guard error.code == .keyNotFound else { throw error }
            return nil
        }
    }

    func read(_ kind: Kind, _ key: String) async throws -> (info: ObjectInfo, bytes: [UInt8])? {
        do {
            let (info, contents) = try await open(kind, key, range: nil)
            var bytes: [UInt8] = []
            try await contents.forEachChunk { bytes += $0 }
            return (info, bytes)
        } catch let error as ObjectError where error.code == .keyNotFound {
            return nil
        }
    }

    /// Opens the bytes of a range, or all.
    func open(
        _ kind: Kind, _ key: String, range: (@Sendable (Int64) -> Range<Int64>?)?
    ) async throws -> (ObjectInfo, ObjectContents) {
        try await objects.getObject(bucket: kind.rawValue, key: try ObjectKey(key)) { info, _ throws(ObjectError) in
            guard let range else { return 0..<info.size }
            guard let chosen = range(info.size) else { throw ObjectError(.rangeNotSatisfiable) }
            return chosen
        }
    }

    func write(
        _ kind: Kind, _ key: String, _ bytes: [UInt8], mediaType: String? = nil
    ) async throws {
        let ingest = try await objects.ingest(expectedBytes: Int64(bytes.count), checksum: nil, sha256: false)
        do {
            try await ingest.append(bytes)
            try await ingest.seal()
            try await put(kind, key, ingest, mediaType: mediaType)
        } catch {
            await ingest.discard()
            throw error
        }
    }

    func put(_ kind: Kind, _ key: String, _ ingest: Ingest, mediaType: String? = nil) async throws {
        let fields = mediaType.map { [ObjectAttributes.Pair("Content-Type", $0)] } ?? []
        _ = try await objects.putObject(
            bucket: kind.rawValue, key: try ObjectKey(key), ingest, attributes: ObjectAttributes(fields: fields))
    }

    func delete(_ kind: Kind, _ keys: [String]) async throws {
        var found: [ObjectKey] = []
        for key in keys { found.append(try ObjectKey(key)) }
        try await objects.deleteObjects(bucket: kind.rawValue, keys: found)
    }

    /// The keys after `prefix`, in order, from after `last` on, at most `countMax`; true when there are more.
    func keys(
        _ kind: Kind, prefix: String, after last: String = "", countMax: Int
    ) async throws -> (keys: [String], hasMore: Bool) {
        var query = ListingQuery()
        query.prefix = Array(prefix.utf8)
        query.after = last.isEmpty ? [] : Array((prefix + last).utf8)
        query.countMax = min(countMax, ObjectLimits.listCountMax)
        let page = try await objects.listObjects(bucket: kind.rawValue, query)
        return (page.items.map { String($0.key.text.dropping(bytesOf: prefix)) }, page.next != nil)
    }

    /// The names of repositories that have a tag or a manifest, in order.
    func repositories(after last: String, countMax: Int) async throws -> (names: [String], hasMore: Bool) {
        var query = ListingQuery()
        query.delimiter = [UInt8(ascii: ":")]
        query.after = last.isEmpty ? [] : Array((last + ":").utf8)
        query.countMax = min(countMax, ObjectLimits.listCountMax)
        let page = try await objects.listObjects(bucket: Kind.manifests.rawValue, query)
        return (page.commonPrefixes.map { String(String(utf8: $0).dropLast()) }, page.next != nil)
    }
}
