// Multipart uploads. Each part is a blob of its own and durable when it is acknowledged; completing only writes rows:
// the upload's version becomes the object's, its listed parts stay, the others go. All of it is one transaction of the
// single writer, so of two completions at the same time one makes the object and the other finds no upload.

import BlobStore
import Bytes
package import Clock
import Database
import Digests

/// A part as a client lists it when it completes an upload.
package struct CompletedPart: Sendable {
    package let number: Int
    package let etag: String
    package let checksum: Checksum?

    package init(number: Int, etag: String, checksum: Checksum?) {
        self.number = number
        self.etag = etag
        self.checksum = checksum
    }
}

extension ObjectStore {
    /// Begins an upload and returns its id.
    package func createUpload(
        bucket: String, key: ObjectKey, attributes: ObjectAttributes, tags: [ObjectAttributes.Pair],
        checksumAlgorithm: ChecksumAlgorithm?, checksumType: ChecksumType?
    ) async throws(ObjectError) -> String {
        try attributes.validate()
        var type = checksumType
        if let checksumAlgorithm {
            type = type ?? (checksumAlgorithm == .crc64nvme ? .fullObject : .composite)
            guard type == .composite ? checksumAlgorithm != .crc64nvme : checksumAlgorithm.isLinear else {
                throw ObjectError(
                    .checksumTypeInvalid,
                    "The \(type?.rawValue ?? "") checksum type cannot be used with \(checksumAlgorithm.rawValue).")
            }
        }
        let id = Randomness.hexID()
        let version = blobs.makeID().value
        let finalType = type
        try await write { connection in
            let bucket = try connection.bucket(bucket)
            try connection.execute(
                """
                INSERT INTO uploads (bucket_id, key, id, version_id, initiated_nanoseconds, checksum_algorithm,
                    checksum_type, attributes, tags) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)
                """,
                .int(bucket.id), .blob(key.bytes), .text(id), .int(Int(version)), .int(Int(WallTime.now.nanoseconds)),
                .optional(checksumAlgorithm?.rawValue), .optional(finalType?.rawValue), .blob(attributes.encoded),
                .optional(tags.isEmpty ? nil : PairCoding.encode(tags)))
        }
        return id
    }

    /// What is known of an upload. Throws `uploadNotFound`.
    package func upload(bucket: String, key: ObjectKey, id: String) async throws(ObjectError) -> UploadInfo {
        try await read { connection in
            try connection.upload(try connection.bucket(bucket), key, id).info
        }
    }

    /// Makes sealed bytes part `number` of an upload, replacing what it had. Durable when it returns.
    package func putPart(
        bucket: String, key: ObjectKey, upload id: String, number: Int, _ ingest: Ingest
    ) async throws(ObjectError) -> PartInfo {
        guard (1...ObjectLimits.partNumberMax).contains(number) else {
            throw ObjectError(.partNumberInvalid, "Part number must be an integer between 1 and 10000, inclusive.")
        }
        guard ingest.size <= ObjectLimits.partBytesMax else {
            throw ObjectError(.tooLarge, "A part may have at most 5 GiB.")
        }
        let stored = try await ingest.persist()
        let checksum = ingest.checksumAlgorithm.flatMap { algorithm in
            ingest.digests.checksum.map { Checksum(algorithm: algorithm, text: Base64.encode($0)) }
        }
        let part = PartInfo(
            number: number, size: stored.size, etag: Hex.encode(ingest.digests.md5), modified: WallTime.now,
            checksum: checksum)
        do {
            try await writeReleasing { connection, released in
                let upload = try connection.upload(try connection.bucket(bucket), key, id)
                let present = try connection.first(
                    "SELECT blob_id FROM parts WHERE version_id = ? AND number = ?", .int(Int(upload.version)),
                    .int(number)
                ) { Int64($0.int(0)) }
                if let present {
                    try connection.releaseBlob(present, &released)
                    try connection.execute(
                        "DELETE FROM parts WHERE version_id = ? AND number = ?", .int(Int(upload.version)), .int(number)
                    )
                }
                try connection.insertBlob(stored)
                try connection.execute(
                    """
                    INSERT INTO parts (version_id, number, blob_id, size, etag, modified_nanoseconds, checksum)
                    VALUES (?, ?, ?, ?, ?, ?, ?)
                    """,
                    .int(Int(upload.version)), .int(number), .int(Int(stored.id.value)), .int(Int(part.size)),
                    .text(part.etag), .int(Int(part.modified.nanoseconds)), .optional(checksum?.encoded))
            }
        } catch {
            if stored.data == nil { await blobs.remove([stored.id]) }
            throw error
        }
        return part
    }

    /// The parts of an upload after number `marker`, in order, with what the upload says of itself.
    package func listParts(
        bucket: String, key: ObjectKey, upload id: String, after marker: Int, countMax: Int
    ) async throws(ObjectError) -> (UploadInfo, [PartInfo]) {
        try await read { connection in
            let upload = try connection.upload(try connection.bucket(bucket), key, id)
            return (upload.info, try connection.parts(version: upload.version, after: marker, countMax: countMax))
        }
    }

    /// Ends an upload without an object; its parts go.
    package func abortUpload(bucket: String, key: ObjectKey, id: String) async throws(ObjectError) {
        try await writeReleasing { connection, released in
            let bucket = try connection.bucket(bucket)
            let upload = try connection.upload(bucket, key, id)
            try connection.removeUpload(bucket, key, id)
            try connection.releaseParts(version: upload.version, &released)
        }
    }

    /// Makes the listed parts the object. A repeated completion of the same upload answers as the first did, as long as
    /// its object is still in place.
    ///
    /// - Parameter checksum: what the client says of the whole; compared with what the parts give.
    package func completeUpload(
        bucket: String, key: ObjectKey, id: String, parts listed: [CompletedPart], checksum promised: Checksum?,
        size: Int64?, conditions: WriteConditions
    ) async throws(ObjectError) -> ObjectInfo {
        try await writeReleasing(changing: [key], in: bucket) { connection, released in
            let bucket = try connection.bucket(bucket)
            let present = try connection.object(bucket, key)
            let upload: UploadRow
            do {
                upload = try connection.upload(bucket, key, id)
            } catch let missing as ObjectError {
                guard let present, try connection.uploadOfObject(bucket, key) == id else { throw missing }
                return present
            }
            try conditions.check(present?.etag)
            let stored = try connection.parts(version: upload.version, after: 0, countMax: ObjectLimits.partNumberMax)
            let chosen = try Completion.choose(listed, from: stored)
            let object = try Completion.object(key: key, upload: upload, parts: chosen)
            if let size, size != object.size {
                throw ObjectError(.sizeMismatch, "The object's size is \(object.size), not x-amz-mp-object-size.")
            }
            if let promised, let checksum = object.checksum, promised.algorithm == checksum.algorithm,
                promised.text != checksum.text
            {
                throw ObjectError(.checksumMismatch, "The \(checksum.algorithm.rawValue) of the parts does not match.")
            }
            let kept = Set(chosen.map(\.number))
            for part in stored where !kept.contains(part.number) {
                try connection.removePart(version: upload.version, number: part.number, &released)
            }
            try connection.removeUpload(bucket, key, id)
            try connection.replaceObject(bucket, present, with: object, upload: id, &released)
            return object
        }
    }

    /// Aborts uploads begun before `moment`; returns how many.
    package func expireUploads(before moment: WallTime) async throws(ObjectError) -> Int {
        try await writeReleasing { connection, released in
            let versions = try connection.query(
                "SELECT version_id FROM uploads WHERE initiated_nanoseconds < ?", .int(Int(moment.nanoseconds))
            ) { Int64($0.int(0)) }
            for version in versions { try connection.releaseParts(version: version, &released) }
            try connection.execute(
                "DELETE FROM uploads WHERE initiated_nanoseconds < ?", .int(Int(moment.nanoseconds)))
            return versions.count
        }
    }
}

/// An upload with what only the store needs of it.
struct UploadRow {
    let info: UploadInfo
    let version: Int64
    let attributes: ObjectAttributes
    let tags: [ObjectAttributes.Pair]
}

extension DatabaseConnection {
    fileprivate func upload(_ bucket: Bucket, _ key: ObjectKey, _ id: String) throws -> UploadRow {
        let upload = try first(
            """
            SELECT version_id, initiated_nanoseconds, checksum_algorithm, checksum_type, attributes, tags FROM uploads
            WHERE bucket_id = ? AND key = ? AND id = ?
            """, .int(bucket.id), .blob(key.bytes), .text(id)
        ) { row in
            UploadRow(
                info: UploadInfo(
                    id: id, key: key, initiated: WallTime(nanoseconds: Int64(row.int(1))),
                    checksumAlgorithm: row.optionalText(2).flatMap { ChecksumAlgorithm(rawValue: $0) },
                    checksumType: row.optionalText(3).flatMap { ChecksumType(rawValue: $0) }),
                version: Int64(row.int(0)), attributes: ObjectAttributes(encoded: row.blob(4)),
                tags: PairCoding.decode(row.blob(5)))
        }
        guard let upload else {
            throw ObjectError(
                .uploadNotFound,
                "The specified upload does not exist. It may have been completed or aborted, or never begun.")
        }
        return upload
    }

    fileprivate func uploadOfObject(_ bucket: Bucket, _ key: ObjectKey) throws -> String? {
        try first(
            "SELECT upload_id FROM objects WHERE bucket_id = ? AND key = ?", .int(bucket.id), .blob(key.bytes)
        ) { $0.optionalText(0) } ?? nil
    }

    fileprivate func removeUpload(_ bucket: Bucket, _ key: ObjectKey, _ id: String) throws {
        try execute(
            "DELETE FROM uploads WHERE bucket_id = ? AND key = ? AND id = ?", .int(bucket.id), .blob(key.bytes),
            .text(id))
    }

    fileprivate func removePart(version: Int64, number: Int, _ released: inout ReleasedBlobs) throws {
        let blob = try first(
            "SELECT blob_id FROM parts WHERE version_id = ? AND number = ?", .int(Int(version)), .int(number)
        ) { Int64($0.int(0)) }
        try execute("DELETE FROM parts WHERE version_id = ? AND number = ?", .int(Int(version)), .int(number))
        if let blob { try releaseBlob(blob, &released) }
    }
}
