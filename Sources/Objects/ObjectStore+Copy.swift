import BlobStore
import Clock
import Database

extension ObjectStore {
    /// What the copy takes from its source and what it is given.
    package struct CopyOptions: Sendable {
        /// Nil keeps the source's.
        package var attributes: ObjectAttributes?
        /// Nil keeps the source's.
        package var tags: [ObjectAttributes.Pair]?
        package var sourceConditions = ReadConditions()
        package var conditions = WriteConditions()

        package init() {}
    }

    /// Makes `key` an object with the bytes of another. The bytes are shared, so this costs the number of parts.
    package func copyObject(
        from source: (bucket: String, key: ObjectKey), to target: (bucket: String, key: ObjectKey),
        _ options: CopyOptions
    ) async throws(ObjectError) -> ObjectInfo {
        try options.attributes?.validate()
        let (sourceBucket, sourceKey) = source
        let (targetBucket, targetKey) = target
        let version = blobs.makeID().value
        return try await writeReleasing(changing: [targetKey], in: targetBucket) { connection, released in
            let from = try connection.bucket(sourceBucket)
            let to = try connection.bucket(targetBucket)
            guard let original = try connection.object(from, sourceKey) else { throw Self.missing }
            do {
                try options.sourceConditions.check(etag: original.etag, modified: original.modified)
            } catch {
                // A copy has no "not modified": whatever does not hold fails it.
                throw ObjectError(.preconditionFailed, "x-amz-copy-source conditions")
            }
            let present = try connection.object(to, targetKey)
            try options.conditions.check(present?.etag)
            // Named anew before the old names go, so that a copy onto itself keeps its bytes.
            if let blob = original.blob {
                try connection.retainBlob(blob)
            } else {
                try connection.copyParts(from: original.version, to: version)
            }
            let copy = ObjectInfo(
                key: targetKey, size: original.size, etag: original.etag, modified: WallTime.now,
                attributes: options.attributes ?? original.attributes, tags: options.tags ?? original.tags,
                checksum: original.checksum, partCount: original.partCount,
                version: original.blob ?? version, blob: original.blob)
            try connection.replaceObject(to, present, with: copy, &released)
            return copy
        }
    }
}

extension DatabaseConnection {
    fileprivate func copyParts(from source: Int64, to version: Int64) throws {
        try execute(
            """
            UPDATE blobs SET reference_count = reference_count + (
                SELECT COUNT(*) FROM parts WHERE version_id = ? AND blob_id = blobs.id)
            WHERE id IN (SELECT blob_id FROM parts WHERE version_id = ?)
            """, .int(Int(source)), .int(Int(source)))
        try execute(
            """
            INSERT INTO parts (version_id, number, blob_id, size, etag, modified_nanoseconds, checksum)
            SELECT ?, number, blob_id, size, etag, modified_nanoseconds, checksum FROM parts WHERE version_id = ?
            """, .int(Int(version)), .int(Int(source)))
    }
}
