import BlobStore
import Clock
import Database

extension ObjectStore {
    /// Everything about an object but its bytes. Throws `bucketNotFound` or `keyNotFound`.
    package func headObject(bucket: String, key: ObjectKey) async throws(ObjectError) -> ObjectInfo {
        try await read { connection in
            guard let object = try connection.object(try connection.bucket(bucket), key) else { throw Self.missing }
            return object
        }
    }

    /// Chooses bytes of an object; gets the ranges of its parts, one for an object that has none. May throw to refuse.
    package typealias Selection = @Sendable (ObjectInfo, [Range<Int64>]) throws(ObjectError) -> Range<Int64>

    /// An object and those of its bytes that `select` chooses, all of one version whatever is written meanwhile.
    ///
    /// The bytes are checked before they are handed out, see BlobFile.swift.
    package func getObject(
        bucket: String, owner: String? = nil, key: ObjectKey, select: Selection
    ) async throws(ObjectError) -> (ObjectInfo, ObjectContents) {
        let ticket = blobs.reclaimer.enter()
        defer { blobs.reclaimer.leave(ticket) }
        let entry = try await entry(bucket: bucket, owner: owner, key: key)
        let chosen = try select(entry.object, Self.ranges(entry.extents.map(\.size)))
        let contents = try await ObjectContents.open(entry.extents, file: entry.file, range: chosen, blobs: blobs)
        return (entry.object, contents)
    }

    /// What the index, or the cache, has of an object. Between `enter` and `leave` of the reclaimer.
    private func entry(bucket: String, owner: String?, key: ObjectKey) async throws(ObjectError) -> ObjectCache.Entry {
        let name = ObjectCache.Name(bucket: bucket, key: key)
        if let entry = cache.find(name), entry.file?.isUnchanged ?? true {
            if let owner, owner != entry.owner { throw ObjectError(.accessDenied, "Access Denied.") }
            return entry
        }
        let token = cache.token(name)
        let (found, object, extents) = try await read { connection in
            let found = try connection.bucket(bucket, owner: owner)
            guard let object = try connection.object(found, key) else { throw Self.missing }
            return (found, object, try connection.extents(of: object))
        }
        var file: BlobFile?
        if extents.count == 1, let extent = extents.first, extent.data == nil {
            do {
                file = try await blobs.open(extent.id, size: extent.size, checksums: extent.checksums, verifying: 0..<0)
            } catch {
                throw ObjectError(error)
            }
        }
        let entry = ObjectCache.Entry(owner: found.owner, object: object, extents: extents, file: file)
        cache.insert(name, entry, token)
        return entry
    }

    /// What `getObject` would choose, without opening the bytes.
    package func selectObject(
        bucket: String, owner: String? = nil, key: ObjectKey, select: Selection
    ) async throws(ObjectError) -> (ObjectInfo, Range<Int64>) {
        let (object, sizes) = try await read { connection in
            let bucket = try connection.bucket(bucket, owner: owner)
            guard let object = try connection.object(bucket, key) else { throw Self.missing }
            guard object.blob == nil else { return (object, [object.size]) }
            let sizes = try connection.query(
                "SELECT size FROM parts WHERE version_id = ? ORDER BY number", .int(Int(object.version))
            ) { Int64($0.int(0)) }
            return (object, sizes)
        }
        return (object, try select(object, Self.ranges(sizes)))
    }

    private static func ranges(_ sizes: [Int64]) -> [Range<Int64>] {
        var start: Int64 = 0
        return sizes.map { size in
            defer { start += size }
            return start..<start + size
        }
    }

    /// The parts of an object that was uploaded in parts, in order.
    package func parts(
        bucket: String, key: ObjectKey, after marker: Int = 0, countMax: Int = ObjectLimits.listCountMax
    ) async throws(ObjectError) -> [PartInfo] {
        try await read { connection in
            guard let object = try connection.object(try connection.bucket(bucket), key) else { throw Self.missing }
            return try connection.parts(version: object.version, after: marker, countMax: countMax)
        }
    }

    /// The part that stands at place `ordinal`, from 1, of an object; nil when it has none there.
    package func part(bucket: String, key: ObjectKey, ordinal: Int) async throws(ObjectError) -> PartInfo? {
        try await read { connection in
            guard let object = try connection.object(try connection.bucket(bucket), key) else { throw Self.missing }
            return try connection.parts(version: object.version, after: 0, countMax: ordinal).dropFirst(ordinal - 1)
                .first
        }
    }

    static var missing: ObjectError { ObjectError(.keyNotFound, "The specified key does not exist.") }
}

extension DatabaseConnection {
    /// The blobs of an object in order, with the bytes of those that the index itself holds.
    fileprivate func extents(of object: ObjectInfo) throws -> [Extent] {
        func extent(_ row: borrowing Row) -> Extent {
            Extent(
                id: BlobID(Int64(row.int(0))), size: Int64(row.int(1)), checksums: row.blob(2),
                data: row.optionalBlob(3))
        }
        if let blob = object.blob {
            return try query("SELECT id, size, checksums, data FROM blobs WHERE id = ?", .int(Int(blob)), row: extent)
        }
        return try query(
            """
            SELECT b.id, b.size, b.checksums, b.data FROM parts p JOIN blobs b ON b.id = p.blob_id
            WHERE p.version_id = ? ORDER BY p.number
            """, .int(Int(object.version)), row: extent)
    }

    func parts(version: Int64, after marker: Int, countMax: Int) throws -> [PartInfo] {
        try query(
            """
            SELECT number, size, etag, modified_nanoseconds, checksum FROM parts
            WHERE version_id = ? AND number > ? ORDER BY number LIMIT ?
            """, .int(Int(version)), .int(marker), .int(countMax)
        ) { row in
            PartInfo(
                number: row.int(0), size: Int64(row.int(1)), etag: row.text(2),
                modified: WallTime(nanoseconds: Int64(row.int(3))),
                checksum: row.optionalText(4).flatMap { Checksum(encoded: $0) })
        }
    }
}
