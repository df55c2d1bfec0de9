// Listing with a delimiter skips from one common prefix to the next through the index, so that it costs the size of
// the answer and not of the bucket: rows are read in batches that grow while no prefix is met, and a prefix is jumped
// over by seeking to the first key behind it.

import Bytes
import Clock
import Database

extension ObjectStore {
    /// One page of the objects of a bucket, in the order of their keys' bytes.
    package func listObjects(
        bucket: String, owner: String? = nil, _ query: ListingQuery
    ) async throws(ObjectError) -> Listing<ListedObject> {
        try await read { connection in
            let bucket = try connection.bucket(bucket, owner: owner)
            return try connection.list(query, key: { $0.key.bytes }, position: { $0.key.bytes }) { from, end, limit in
                try connection.listedObjects(bucket, from, end, limit)
            }
        }
    }

    /// One page of the uploads of a bucket, by key and then id. `after` and `next` are `uploadPosition`s.
    package func listUploads(bucket: String, _ query: ListingQuery) async throws(ObjectError) -> Listing<UploadInfo> {
        try await read { connection in
            let bucket = try connection.bucket(bucket)
            return try connection.list(
                query, key: { $0.key.bytes }, position: { Self.uploadPosition(key: $0.key.bytes, id: $0.id) }
            ) { from, end, limit in
                try connection.listedUploads(bucket, from, end, limit)
            }
        }
    }

    /// Where an upload stands in the order of uploads: no key holds a zero byte, so key, zero, id sorts as (key, id).
    ///
    /// With a nil `id`, the place behind all uploads of the key.
    package static func uploadPosition(key: [UInt8], id: String?) -> [UInt8] {
        key + [0] + (id.map { Array($0.utf8) } ?? [0xff])
    }
}

extension DatabaseConnection {
    /// Walks keys with prefix and delimiter; `rows` reads up to a number of rows at or after a key, in order.
    fileprivate func list<Item>(
        _ query: ListingQuery, key: (Item) -> [UInt8], position: (Item) -> [UInt8],
        rows: (_ from: [UInt8], _ end: [UInt8]?, _ limit: Int) throws -> [Item]
    ) throws -> Listing<Item> {
        var listing = Listing<Item>()
        guard query.countMax > 0 else { return listing }
        var walk = KeyWalk(query)
        var last: [UInt8] = []
        var batch = query.delimiter.isEmpty ? query.countMax + 1 : min(64, query.countMax + 1)
        while !walk.isAtEnd {
            let items = try rows(walk.from, walk.end, batch)
            var jumped = false
            for item in items {
                if listing.items.count + listing.commonPrefixes.count == query.countMax {
                    listing.next = last
                    return listing
                }
                if let group = walk.group(of: key(item)) {
                    listing.commonPrefixes.append(group)
                    last = group
                    walk.skip(group)
                    jumped = true
                    break
                }
                listing.items.append(item)
                last = position(item)
                walk.pass(last)
            }
            if !jumped, items.count < batch { break }
            // After a jump another is likely near: read little. Without one, read more and more.
            batch = jumped ? 4 : min(batch * 4, query.countMax + 1)
        }
        return listing
    }

    fileprivate func listedObjects(
        _ bucket: Bucket, _ from: [UInt8], _ end: [UInt8]?, _ limit: Int
    ) throws -> [ListedObject] {
        let columns =
            "SELECT key, size, etag, modified_nanoseconds, checksum FROM objects WHERE bucket_id = ? AND key >= ?"
        func item(_ row: borrowing Row) -> ListedObject {
            ListedObject(
                key: ObjectKey(stored: row.blob(0)), size: Int64(row.int(1)), etag: row.text(2),
                modified: WallTime(nanoseconds: Int64(row.int(3))),
                checksum: row.optionalText(4).flatMap { Checksum(encoded: $0) })
        }
        if let end {
            return try query(
                "\(columns) AND key < ? ORDER BY key LIMIT ?", .int(bucket.id), .blob(from), .blob(end), .int(limit),
                row: item)
        }
        return try query("\(columns) ORDER BY key LIMIT ?", .int(bucket.id), .blob(from), .int(limit), row: item)
    }

    fileprivate func listedUploads(
        _ bucket: Bucket, _ from: [UInt8], _ end: [UInt8]?, _ limit: Int
    ) throws -> [UploadInfo] {
        let columns = """
            SELECT key, id, initiated_nanoseconds, checksum_algorithm, checksum_type FROM uploads
            WHERE bucket_id = ? AND (key, id) >= (?, ?)
            """
        let split = from.firstIndex(of: 0) ?? from.count
        let key = DatabaseValue.blob(Array(from[..<split]))
        let id = DatabaseValue.text(String(utf8: from[min(split + 1, from.count)...]))
        func item(_ row: borrowing Row) -> UploadInfo {
            UploadInfo(
                id: row.text(1), key: ObjectKey(stored: row.blob(0)),
                initiated: WallTime(nanoseconds: Int64(row.int(2))),
                checksumAlgorithm: row.optionalText(3).flatMap { ChecksumAlgorithm(rawValue: $0) },
                checksumType: row.optionalText(4).flatMap { ChecksumType(rawValue: $0) })
        }
        if let end {
            return try query(
                "\(columns) AND key < ? ORDER BY key, id LIMIT ?", .int(bucket.id), key, id, .blob(end), .int(limit),
                row: item)
        }
        return try query("\(columns) ORDER BY key, id LIMIT ?", .int(bucket.id), key, id, .int(limit), row: item)
    }
}
