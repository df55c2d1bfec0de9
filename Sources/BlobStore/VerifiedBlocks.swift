// Which blocks were already checked since the process started. A file that changed through the file system has another
// signature (inode, size, change time) and is checked anew; what rots on the platter under a cached page is found when
// the cache has let go of it and the process has been restarted, or when the entry has left this bounded table.

import Synchronization

/// Remembers checked blocks of at most `blobCountMax` blobs.
final class VerifiedBlocks: Sendable {
    private struct Entry {
        var signature: FileSystem.Signature
        /// One bit a block.
        var bits: [UInt64]
    }

    private let entries = Mutex<[BlobID: Entry]>([:])
    private let blobCountMax: Int

    init(blobCountMax: Int = 16_384) { self.blobCountMax = blobCountMax }

    /// Those of `blocks` that have not been checked for a file with this signature.
    func unchecked(_ id: BlobID, _ signature: FileSystem.Signature, _ blocks: Range<Int>) -> [Int] {
        entries.withLock { entries in
            guard let entry = entries[id], entry.signature == signature else { return Array(blocks) }
            return blocks.filter { $0 / 64 >= entry.bits.count || entry.bits[$0 / 64] >> UInt64($0 % 64) & 1 == 0 }
        }
    }

    func mark(_ id: BlobID, _ signature: FileSystem.Signature, _ blocks: [Int]) {
        guard let last = blocks.max() else { return }
        entries.withLock { entries in
            if entries[id]?.signature != signature {
                // Any entry may go: the price is one more check of that blob.
                if entries.count >= blobCountMax, let victim = entries.keys.first { entries[victim] = nil }
                entries[id] = Entry(signature: signature, bits: [])
            }
            var bits = entries[id]?.bits ?? []
            entries[id]?.bits = []
            if bits.count <= last / 64 { bits.append(contentsOf: repeatElement(0, count: last / 64 + 1 - bits.count)) }
            for block in blocks { bits[block / 64] |= 1 << UInt64(block % 64) }
            entries[id]?.bits = bits
        }
    }

    func forget(_ ids: [BlobID]) {
        entries.withLock { entries in for id in ids { entries[id] = nil } }
    }
}
