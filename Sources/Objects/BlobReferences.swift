import BlobStore
import Database

/// Blobs whose last name went in a transaction that is not durable yet.
struct ReleasedBlobs: Sendable {
    /// Only those that have a file.
    var ids: [BlobID] = []
}

// How the index counts who names a blob. A copy of an object names the same blobs, so it costs no bytes.
extension DatabaseConnection {
    func insertBlob(_ blob: StoredBlob) throws {
        try execute(
            "INSERT INTO blobs (id, size, reference_count, checksums, data) VALUES (?, ?, 1, ?, ?)",
            .int(Int(blob.id.value)), .int(Int(blob.size)), .blob(blob.checksums), .optional(blob.data))
    }

    func retainBlob(_ id: Int64) throws {
        try execute("UPDATE blobs SET reference_count = reference_count + 1 WHERE id = ?", .int(Int(id)))
    }

    func releaseBlob(_ id: Int64, _ released: inout ReleasedBlobs) throws {
        let state = try first(
            "SELECT reference_count, data IS NULL FROM blobs WHERE id = ?", .int(Int(id))
        ) { (count: $0.int(0), hasFile: $0.bool(1)) }
        guard let state else { return }
        if state.count > 1 {
            try execute("UPDATE blobs SET reference_count = reference_count - 1 WHERE id = ?", .int(Int(id)))
            return
        }
        try execute("DELETE FROM blobs WHERE id = ?", .int(Int(id)))
        if state.hasFile { released.ids.append(BlobID(id)) }
    }

    /// Removes all parts of a version and lets go of their blobs.
    func releaseParts(version: Int64, _ released: inout ReleasedBlobs) throws {
        let blobs = try query("SELECT blob_id FROM parts WHERE version_id = ?", .int(Int(version))) { Int64($0.int(0)) }
        try execute("DELETE FROM parts WHERE version_id = ?", .int(Int(version)))
        for blob in blobs { try releaseBlob(blob, &released) }
    }

    func releaseContent(of object: ObjectInfo, _ released: inout ReleasedBlobs) throws {
        if let blob = object.blob {
            try releaseBlob(blob, &released)
        } else {
            try releaseParts(version: object.version, &released)
        }
    }
}
