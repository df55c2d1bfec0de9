// The way of new bytes into the store: append as they come, seal, compare the digests with what the client promised,
// persist, and only then name them in the index. Whoever gives up on the way calls `discard`, or just lets go.

import BlobStore
import Digests

/// Digests of everything that was appended.
package struct IngestDigests: Sendable {
    package let md5: [UInt8]
    /// Only when it was asked for.
    package let sha256: [UInt8]?
    /// Only when an algorithm was asked for: the value's bytes.
    package let checksum: [UInt8]?
}

/// Takes the bytes of one object or part. Used by one task.
///
/// `@unchecked Sendable`: the hashers are touched by the writer's observer, which runs while the task awaits it.
package final class Ingest: @unchecked Sendable {
    private final class Hashers {
        var md5 = MD5()
        var sha256: SHA256?
        var checksum: ChecksumHasher?
    }

    package let checksumAlgorithm: ChecksumAlgorithm?
    package private(set) var digests = IngestDigests(md5: [], sha256: nil, checksum: nil)
    private let hashers: Hashers
    private let writer: BlobWriter

    init(blobs: BlobStore, checksum algorithm: ChecksumAlgorithm?, sha256: Bool) {
        let hashers = Hashers()
        hashers.sha256 = sha256 ? SHA256() : nil
        hashers.checksum = algorithm.map { ChecksumHasher($0) }
        self.hashers = hashers
        checksumAlgorithm = algorithm
        writer = blobs.makeWriter { bytes in
            hashers.md5.update(bytes)
            hashers.sha256?.update(bytes)
            hashers.checksum?.update(bytes)
        }
    }

    package var size: Int64 { writer.size }

    /// Takes the next bytes.
    package func append(_ bytes: [UInt8]) async throws(ObjectError) {
        do { try await writer.append(bytes) } catch { throw ObjectError(error) }
    }

    /// Ends the bytes and computes `digests`. Nothing is durable yet.
    package func seal() async throws(ObjectError) {
        do { try await writer.seal() } catch { throw ObjectError(error) }
        digests = IngestDigests(
            md5: hashers.md5.finalize(), sha256: hashers.sha256?.finalize(), checksum: hashers.checksum?.finalize())
    }

    /// Removes what was written of bytes that will not be named.
    package func discard() async { await writer.discard() }

    func persist() async throws(ObjectError) -> StoredBlob {
        do { return try await writer.persist() } catch { throw ObjectError(error) }
    }
}
