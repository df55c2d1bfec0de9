// Reading and writing the rows of `objects`. Every file that needs an object's row gets it here.

import Bytes
import Clock
import Database

extension DatabaseConnection {
    private static let objectColumns =
        "key, size, etag, modified_nanoseconds, checksum, version_id, blob_id, part_count, attributes, tags"

    /// The bucket called `name`. Throws `bucketNotFound`, or `accessDenied` when `owner` is given and has not got it.
    func bucket(_ name: String, owner: String? = nil) throws -> Bucket {
        let bucket = try first(
            "SELECT id, owner, created_nanoseconds FROM buckets WHERE name = ?", .text(name)
        ) { row in
            Bucket(id: row.int(0), name: name, owner: row.text(1), created: WallTime(nanoseconds: Int64(row.int(2))))
        }
        guard let bucket else { throw ObjectError(.bucketNotFound, "The specified bucket does not exist: \(name).") }
        if let owner, owner != bucket.owner { throw ObjectError(.accessDenied, "Access Denied.") }
        return bucket
    }

    /// The object at `key`, or nil.
    func object(_ bucket: Bucket, _ key: ObjectKey) throws -> ObjectInfo? {
        try first(
            "SELECT \(Self.objectColumns) FROM objects WHERE bucket_id = ? AND key = ?", .int(bucket.id),
            .blob(key.bytes)
        ) { row in
            ObjectInfo(
                key: ObjectKey(stored: row.blob(0)), size: Int64(row.int(1)), etag: row.text(2),
                modified: WallTime(nanoseconds: Int64(row.int(3))),
                attributes: ObjectAttributes(encoded: row.blob(8)), tags: PairCoding.decode(row.blob(9)),
                checksum: row.optionalText(4).flatMap { Checksum(encoded: $0) }, partCount: row.int(7),
                version: Int64(row.int(5)), blob: row.optionalInt(6).map { Int64($0) })
        }
    }

    /// Puts `object` in the place of `present`, which is what the caller found there, and counts the difference.
    func replaceObject(
        _ bucket: Bucket, _ present: ObjectInfo?, with object: ObjectInfo, upload: String? = nil,
        _ released: inout ReleasedBlobs
    ) throws {
        if let present { try releaseContent(of: present, &released) }
        try execute(
            """
            INSERT INTO objects (bucket_id, \(Self.objectColumns), upload_id)
            VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)
            ON CONFLICT (bucket_id, key) DO UPDATE SET size = excluded.size, etag = excluded.etag,
                modified_nanoseconds = excluded.modified_nanoseconds, checksum = excluded.checksum,
                version_id = excluded.version_id, blob_id = excluded.blob_id, part_count = excluded.part_count,
                attributes = excluded.attributes, tags = excluded.tags, upload_id = excluded.upload_id
            """,
            .int(bucket.id), .blob(object.key.bytes), .int(Int(object.size)), .text(object.etag),
            .int(Int(object.modified.nanoseconds)), .optional(object.checksum?.encoded), .int(Int(object.version)),
            .optional(object.blob.map { Int($0) }), .int(object.partCount), .blob(object.attributes.encoded),
            .optional(object.tags.isEmpty ? nil : PairCoding.encode(object.tags)), .optional(upload))
        try count(bucket, objects: present == nil ? 1 : 0, bytes: object.size - (present?.size ?? 0))
    }

    /// Removes an object's row and lets go of its bytes.
    func removeObject(_ bucket: Bucket, _ object: ObjectInfo, _ released: inout ReleasedBlobs) throws {
        try releaseContent(of: object, &released)
        try execute(
            "DELETE FROM objects WHERE bucket_id = ? AND key = ?", .int(bucket.id), .blob(object.key.bytes))
        try count(bucket, objects: -1, bytes: -object.size)
    }

    private func count(_ bucket: Bucket, objects: Int, bytes: Int64) throws {
        try execute(
            "UPDATE buckets SET object_count = object_count + ?, byte_count = byte_count + ? WHERE id = ?",
            .int(objects), .int(Int(bytes)), .int(bucket.id))
    }
}
