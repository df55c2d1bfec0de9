import Clock
import Database

/// How much a bucket holds.
package struct BucketUsage: Sendable {
    package let name: String
    package let objectCount: Int
    package let byteCount: Int64
}

extension ObjectStore {
    /// Makes a bucket. Throws `bucketOwned` when `owner` has it already, `bucketExists` when somebody else has.
    package func createBucket(_ name: String, owner: String) async throws(ObjectError) {
        try Bucket.validate(name: name)
        try await write { connection in
            let present = try connection.first("SELECT owner FROM buckets WHERE name = ?", .text(name)) { $0.text(0) }
            if let present {
                guard present != owner else {
                    throw ObjectError(
                        .bucketOwned,
                        "Your previous request to create the named bucket succeeded and you already own it.")
                }
                throw ObjectError(.bucketExists, "The requested bucket name is not available.")
            }
            let count = try connection.first("SELECT COUNT(*) FROM buckets") { $0.int(0) } ?? 0
            guard count < ObjectLimits.bucketCountMax else {
                throw ObjectError(
                    .bucketCountTooLarge, "There are \(count) buckets already, the most that are allowed.")
            }
            try connection.execute(
                """
                INSERT INTO buckets (name, owner, created_nanoseconds, object_count, byte_count) VALUES (?, ?, ?, 0, 0)
                """, .text(name), .text(owner), .int(Int(WallTime.now.nanoseconds)))
        }
    }

    /// Removes an empty bucket together with the uploads begun in it.
    package func deleteBucket(_ name: String) async throws(ObjectError) {
        try await writeReleasing { connection, released in
            let bucket = try connection.bucket(name)
            let occupied = try connection.first(
                "SELECT 1 FROM objects WHERE bucket_id = ? LIMIT 1", .int(bucket.id)
            ) { _ in true }
            guard occupied == nil else {
                throw ObjectError(.bucketNotEmpty, "The bucket you tried to delete is not empty.")
            }
            let versions = try connection.query(
                "SELECT version_id FROM uploads WHERE bucket_id = ?", .int(bucket.id)
            ) { Int64($0.int(0)) }
            for version in versions { try connection.releaseParts(version: version, &released) }
            try connection.execute("DELETE FROM uploads WHERE bucket_id = ?", .int(bucket.id))
            try connection.execute("DELETE FROM buckets WHERE id = ?", .int(bucket.id))
        }
    }

    /// The bucket called `name`. Throws `bucketNotFound`.
    package func bucket(_ name: String) async throws(ObjectError) -> Bucket {
        try await read { try $0.bucket(name) }
    }

    /// Every bucket, by name.
    package func listBuckets() async throws(ObjectError) -> [Bucket] {
        try await read { connection in
            try connection.query("SELECT id, name, owner, created_nanoseconds FROM buckets ORDER BY name") { row in
                Bucket(
                    id: row.int(0), name: row.text(1), owner: row.text(2),
                    created: WallTime(nanoseconds: Int64(row.int(3))))
            }
        }
    }

    /// Counts of every bucket, kept with each change: this costs the number of buckets, not of objects.
    package func usage() async throws(ObjectError) -> [BucketUsage] {
        try await read { connection in
            try connection.query("SELECT name, object_count, byte_count FROM buckets ORDER BY name") { row in
                BucketUsage(name: row.text(0), objectCount: row.int(1), byteCount: Int64(row.int(2)))
            }
        }
    }
}
