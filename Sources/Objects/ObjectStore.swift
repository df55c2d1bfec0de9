// The object store: buckets, objects and multipart uploads over durable blobs and one index.
//
// Every change is one transaction of the index. A writer makes its blob durable first and then names it; a blob that
// lost its name is removed after the transaction is durable. So at any moment of a crash the index is whole, each name
// in it has its bytes, and the worst that can be left is a file without a name, which the next start collects.

import BlobStore
import Clock
import Database
package import EventLoop
import Log

/// The buckets and objects of one data folder.
package final class ObjectStore: Sendable {
    let blobs: BlobStore
    let database: Database
    let cache = ObjectCache()
    let log = Logger(role: "store")

    /// Opens the store in `folder`, making it when it is missing.
    package init(folder: String, pool: BlockingPool) async throws(ObjectError) {
        do {
            blobs = try BlobStore(path: folder, pool: pool)
            database = try Database(path: blobs.indexPath, migrations: Schema.migrations)
            let highest = try await database.read { connection in
                try connection.first(
                    """
                    SELECT MAX(id) FROM (
                        SELECT MAX(id) AS id FROM blobs UNION ALL SELECT MAX(version_id) FROM parts
                        UNION ALL SELECT MAX(version_id) FROM uploads) AS ids
                    """
                ) { $0.int(0) }
            }
            // Ids follow the clock, so that the ids of a crashed process are not given again even when its files
            // have no name in the index.
            blobs.raiseIDs(above: max(Int64(highest ?? 0), WallTime.now.nanoseconds / 1000))
        } catch {
            throw ObjectError(wrapping: error)
        }
    }

    /// A place for the bytes of a new object or part.
    ///
    /// - Parameters:
    ///   - expectedBytes: the announced size, refused at once when the disk has no room for it.
    ///   - algorithm: the additional checksum to compute.
    ///   - sha256: whether SHA-256 is wanted beside it.
    package func ingest(
        expectedBytes: Int64?, checksum algorithm: ChecksumAlgorithm?, sha256: Bool
    ) async throws(ObjectError) -> Ingest {
        let expected = expectedBytes ?? 0
        guard expected <= ObjectLimits.objectBytesMax else {
            throw ObjectError(.tooLarge, "Your proposed upload is larger than the maximum of 5 TiB.")
        }
        do { try blobs.requireSpace(for: expected) } catch { throw ObjectError(error) }
        return Ingest(blobs: blobs, checksum: algorithm, sha256: sha256)
    }

    /// Removes files that nothing names, left by a process that was killed. To be run once, after start.
    package func collectOrphans() async throws(ObjectError) -> Int {
        let last = blobs.lastID
        do {
            return try await blobs.collectOrphans(upTo: last) { ids in
                guard let low = ids.min(), let high = ids.max() else { return [] }
                return try await self.database.read { connection in
                    Set(
                        try connection.query(
                            "SELECT id FROM blobs WHERE id BETWEEN ? AND ? AND data IS NULL", .int(Int(low.value)),
                            .int(Int(high.value))
                        ) { BlobID(Int64($0.int(0))) })
                }
            }
        } catch {
            throw ObjectError(wrapping: error)
        }
    }

    /// Objects up to this size are written by the index alone.
    package var smallObjectBytesMax: Int { blobs.inlineBytesMax }

    /// Free and total bytes of the disk; nil when the system does not tell.
    package var space: (freeBytes: Int64, totalBytes: Int64)? { blobs.space }

    // MARK: The index

    func read<Value: Sendable>(
        _ body: @escaping @Sendable (DatabaseConnection) throws -> Value
    ) async throws(ObjectError) -> Value {
        do { return try await database.read(body) } catch { throw ObjectError(wrapping: error) }
    }

    /// Runs a change, and once more after giving up the ballast when the disk had no room for it.
    func write<Value: Sendable>(
        _ body: @escaping @Sendable (DatabaseConnection) throws -> Value
    ) async throws(ObjectError) -> Value {
        do {
            return try await database.write(body)
        } catch {
            let failure = ObjectError(wrapping: error)
            guard failure.code == .full, blobs.releaseBallast() else { throw failure }
            log.warning("the disk is full: gave up the ballast")
        }
        do { return try await database.write(body) } catch { throw ObjectError(wrapping: error) }
    }

    /// A change of the objects at `keys` that leaves blobs without a name: they are removed once it is durable.
    func writeReleasing<Value: Sendable>(
        changing keys: [ObjectKey] = [], in bucket: String = "",
        _ body: @escaping @Sendable (DatabaseConnection, inout ReleasedBlobs) throws -> Value
    ) async throws(ObjectError) -> Value {
        let names = keys.map { ObjectCache.Name(bucket: bucket, key: $0) }
        cache.begin(names)
        defer { cache.end(names) }
        let (value, released) = try await write { connection in
            var released = ReleasedBlobs()
            let value = try body(connection, &released)
            return (value, released)
        }
        await blobs.remove(released.ids)
        return value
    }
}
