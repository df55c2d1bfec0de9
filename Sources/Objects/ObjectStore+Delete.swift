import Database

extension ObjectStore {
    /// Removes the object at `key`; one that is not there is no error, unless `conditions` ask for it.
    package func deleteObject(
        bucket: String, owner: String? = nil, key: ObjectKey, conditions: WriteConditions = WriteConditions()
    ) async throws(ObjectError) {
        try await writeReleasing(changing: [key], in: bucket) { connection, released in
            let bucket = try connection.bucket(bucket, owner: owner)
            let present = try connection.object(bucket, key)
            try conditions.check(present?.etag)
            if let present { try connection.removeObject(bucket, present, &released) }
        }
    }

    /// Removes many objects in one transaction; keys that are not there count as removed.
    package func deleteObjects(bucket: String, keys: [ObjectKey]) async throws(ObjectError) {
        try await writeReleasing(changing: keys, in: bucket) { connection, released in
            let bucket = try connection.bucket(bucket)
            for key in keys {
                guard let present = try connection.object(bucket, key) else { continue }
                try connection.removeObject(bucket, present, &released)
            }
        }
    }
}
