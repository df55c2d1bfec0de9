// Reading. The policy, which docs/compatibility/s3.md repeats: no byte leaves before the block it is in was checked
// against its recorded checksum since the process started, for whole reads and for ranges alike. Blocks are checked
// once; a file that changes on disk is checked again. A read of up to `verifyBytesMax` is checked before its first byte
// is sent, so that rot is an error answer; a longer one goes on being checked ahead of the bytes that are sent, and rot
// cuts the connection before the end, which no client takes for a whole object.

import Digests
import Glibc

/// An open blob file. The descriptor is closed when the last reference goes; the bytes stay readable until then, even
/// when the blob is removed meanwhile.
package final class BlobFile: Sendable {
    package let id: BlobID
    package let descriptor: Int32
    package let size: Int64
    private let checksums: [UInt8]
    private let signature: FileSystem.Signature
    private let verified: VerifiedBlocks

    init(
        id: BlobID, path: String, size: Int64, checksums: [UInt8], verified: VerifiedBlocks
    ) throws(BlobError) {
        self.id = id
        self.size = size
        self.checksums = checksums
        self.verified = verified
        let descriptor = try FileSystem.open(path, O_RDONLY | O_NOFOLLOW)
        self.descriptor = descriptor
        do {
            signature = try FileSystem.signature(descriptor)
        } catch {
            close(descriptor)
            throw error
        }
        guard signature.size == size else {
            close(descriptor)
            throw BlobError(.corrupt, "blob \(id.fileName) has \(signature.size) bytes, \(size) are recorded")
        }
    }

    deinit { close(descriptor) }

    /// True when nobody has touched the file through the file system since it was opened. Does not block on the disk.
    package var isUnchanged: Bool { (try? FileSystem.signature(descriptor)) == signature }

    /// True when `verify` would find nothing left to check.
    package func isVerified(_ range: Range<Int64>) -> Bool {
        range.isEmpty || verified.unchecked(id, signature, Self.blocks(of: range)).isEmpty
    }

    private static func blocks(of range: Range<Int64>) -> Range<Int> {
        let blockBytes = Int64(BlockChecksums.blockBytes)
        return Int(range.lowerBound / blockBytes)..<Int((range.upperBound - 1) / blockBytes) + 1
    }

    /// Checks the blocks that hold `range`, as far as they were not yet. Blocks; throws `corrupt`.
    package func verify(_ range: Range<Int64>) throws(BlobError) {
        guard !range.isEmpty else { return }
        let blockBytes = Int64(BlockChecksums.blockBytes)
        let unchecked = verified.unchecked(id, signature, Self.blocks(of: range))
        guard !unchecked.isEmpty else { return }
        let buffer = UnsafeMutableRawBufferPointer.allocate(byteCount: BlockChecksums.blockBytes, alignment: 4096)
        defer { buffer.deallocate() }
        for block in unchecked {
            let start = Int64(block) * blockBytes
            let bytes = UnsafeMutableRawBufferPointer(rebasing: buffer[..<Int(min(blockBytes, size - start))])
            try FileSystem.read(descriptor, into: bytes, at: start)
            var checksum = CRC32C()
            checksum.update(UnsafeRawBufferPointer(bytes))
            guard checksum.value == BlockChecksums.value(checksums, block: block) else {
                throw BlobError(.corrupt, "blob \(id.fileName): block \(block) of 1 MiB does not match its checksum")
            }
        }
        verified.mark(id, signature, unchecked)
    }

    /// Reads a range that was verified before. Blocks.
    package func read(_ range: Range<Int64>) throws(BlobError) -> [UInt8] {
        var failure: BlobError?
        let bytes = [UInt8](unsafeUninitializedCapacity: range.count) { buffer, count in
            do throws(BlobError) {
                try FileSystem.read(descriptor, into: UnsafeMutableRawBufferPointer(buffer), at: range.lowerBound)
                count = buffer.count
            } catch {
                failure = error
                count = 0
            }
        }
        if let failure { throw failure }
        return bytes
    }
}
