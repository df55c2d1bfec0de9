import Database

extension ObjectStore {
    /// Throws `tagInvalid` for more than 10 tags, a name twice, or one that is empty or too long.
    package static func validate(tags: [ObjectAttributes.Pair]) throws(ObjectError) {
        guard tags.count <= ObjectLimits.tagCountMax else {
            throw ObjectError(.tagInvalid, "Object tags cannot be greater than 10.")
        }
        var names: Set<[UInt8]> = []
        for tag in tags {
            guard (1...ObjectLimits.tagKeyCharactersMax).contains(tag.name.unicodeScalars.count) else {
                throw ObjectError(
                    .tagInvalid, "The TagKey you have provided is invalid: it must have 1 to 128 characters.")
            }
            guard tag.value.unicodeScalars.count <= ObjectLimits.tagValueCharactersMax else {
                throw ObjectError(.tagInvalid, "The TagValue you have provided is invalid: it may have 256 characters.")
            }
            guard names.insert(Array(tag.name.utf8)).inserted else {
                throw ObjectError(.tagInvalid, "Cannot provide multiple Tags with the same key.")
            }
        }
    }

    /// Replaces the tags of an object; an empty list removes them.
    package func setTags(bucket: String, key: ObjectKey, _ tags: [ObjectAttributes.Pair]) async throws(ObjectError) {
        try Self.validate(tags: tags)
        try await writeReleasing(changing: [key], in: bucket) { connection, _ in
            let bucket = try connection.bucket(bucket)
            let changed = try connection.execute(
                "UPDATE objects SET tags = ? WHERE bucket_id = ? AND key = ?",
                .optional(tags.isEmpty ? nil : PairCoding.encode(tags)), .int(bucket.id), .blob(key.bytes))
            if changed == 0 { throw Self.missing }
        }
    }
}
