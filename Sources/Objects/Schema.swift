// The index. Listings read `objects` only, in key order, so a row holds what a listing shows first and is kept small;
// bytes, checksums of blocks and parts stand in tables of their own. Keys are BLOBs: compared byte by byte, which is
// S3's order, and free to hold any character.

import Database

enum Schema {
    static let migrations = [
        Migration(
            version: 1, name: "buckets, objects, blobs, uploads, parts",
            statements: [
                """
                CREATE TABLE buckets (
                    id INTEGER PRIMARY KEY, name TEXT NOT NULL UNIQUE, owner TEXT NOT NULL,
                    created_nanoseconds INTEGER NOT NULL, object_count INTEGER NOT NULL, byte_count INTEGER NOT NULL,
                    tags BLOB)
                """,
                """
                CREATE TABLE objects (
                    bucket_id INTEGER NOT NULL, key BLOB NOT NULL, size INTEGER NOT NULL, etag TEXT NOT NULL,
                    modified_nanoseconds INTEGER NOT NULL, checksum TEXT, version_id INTEGER NOT NULL,
                    blob_id INTEGER, part_count INTEGER NOT NULL, upload_id TEXT, attributes BLOB NOT NULL, tags BLOB,
                    PRIMARY KEY (bucket_id, key)) WITHOUT ROWID
                """,
                """
                CREATE TABLE blobs (
                    id INTEGER PRIMARY KEY, size INTEGER NOT NULL, reference_count INTEGER NOT NULL,
                    checksums BLOB NOT NULL, data BLOB)
                """,
                """
                CREATE TABLE uploads (
                    bucket_id INTEGER NOT NULL, key BLOB NOT NULL, id TEXT NOT NULL, version_id INTEGER NOT NULL,
                    initiated_nanoseconds INTEGER NOT NULL, checksum_algorithm TEXT, checksum_type TEXT,
                    attributes BLOB NOT NULL, tags BLOB, PRIMARY KEY (bucket_id, key, id)) WITHOUT ROWID
                """,
                """
                CREATE TABLE parts (
                    version_id INTEGER NOT NULL, number INTEGER NOT NULL, blob_id INTEGER NOT NULL,
                    size INTEGER NOT NULL, etag TEXT NOT NULL, modified_nanoseconds INTEGER NOT NULL, checksum TEXT,
                    PRIMARY KEY (version_id, number)) WITHOUT ROWID
                """,
            ])
    ]
}
