import BlobStore
import Bytes
import Clock
import Database
import Digests

extension ObjectStore {
    /// Makes sealed bytes the object at `key`, replacing what is there. Durable when it returns.
    ///
    /// Throws `preconditionFailed` when `conditions` do not hold at the moment of the change, `full` when the disk is.
    package func putObject(
        bucket: String, owner: String? = nil, key: ObjectKey, _ ingest: Ingest, attributes: ObjectAttributes,
        tags: [ObjectAttributes.Pair] = [], conditions: WriteConditions = WriteConditions()
    ) async throws(ObjectError) -> ObjectInfo {
        try attributes.validate()
        let stored = try await ingest.persist()
        let digests = ingest.digests
        let checksum = ingest.checksumAlgorithm.flatMap { algorithm in
            digests.checksum.map { Checksum(algorithm: algorithm, text: Base64.encode($0)) }
        }
        let object = ObjectInfo(
            key: key, size: stored.size, etag: Hex.encode(digests.md5), modified: WallTime.now, attributes: attributes,
            tags: tags, checksum: checksum, partCount: 0, version: stored.id.value, blob: stored.id.value)
        do {
            try await writeReleasing(changing: [key], in: bucket) { connection, released in
                let bucket = try connection.bucket(bucket, owner: owner)
                let present = try connection.object(bucket, key)
                try conditions.check(present?.etag)
                try connection.insertBlob(stored)
                try connection.replaceObject(bucket, present, with: object, &released)
            }
        } catch {
            if stored.data == nil { await blobs.remove([stored.id]) }
            throw error
        }
        return object
    }
}
