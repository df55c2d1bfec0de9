package import Clock
import Formats
import HTTP
import HTTPClient

/// A bucket as its owner's list names it.
package struct BucketSummary: Sendable, Equatable {
    package let name: String
    package let created: WallTime?
}

extension ObjectClient {
    /// The buckets of the credential's owner, by name.
    package func listBuckets() async throws -> [BucketSummary] {
        let root = try await result(try await execute(.get, "", ""), "ListAllMyBucketsResult", bytesMax: 16 << 20)
        return (root.child("Buckets")?.children ?? []).compactMap { bucket in
            guard let name = bucket.child("Name")?.text else { return nil }
            return BucketSummary(
                name: name, created: bucket.child("CreationDate").flatMap { WallTime(iso8601: $0.text) })
        }
    }

    package func bucketExists(_ bucket: String) async throws -> Bool {
        do {
            _ = try await execute(.head, bucket, "")
            return true
        } catch let error as ObjectClientError where error.isNotFound {
            return false
        }
    }

    /// Makes a bucket; one that is ours already is fine.
    package func createBucket(_ bucket: String) async throws {
        do {
            try await makeBucket(bucket)
        } catch let error as ObjectClientError where error.code == "BucketAlreadyOwnedByYou" {
            return
        }
    }

    /// Makes a bucket; throws `BucketAlreadyOwnedByYou` or `BucketAlreadyExists` when there is one.
    package func makeBucket(_ bucket: String) async throws { _ = try await execute(.put, bucket, "") }

    /// Removes an empty bucket; throws `BucketNotEmpty` for another.
    package func removeBucket(_ bucket: String) async throws { _ = try await execute(.delete, bucket, "") }
}
