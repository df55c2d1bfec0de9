// Bytes are checked in blocks of 1 MiB, so that a range read of a 5 GiB object checks the blocks it touches and not the
// object. Four bytes a block: 5 GiB cost 20 KiB in the index. CRC-32C because it is made for storage and costs 0.1 ns a
// byte; it finds rot, it is no defence against somebody who may write the data folder.

import Bytes
import Digests

/// CRC-32C of each block of a blob, little-endian, one after the other: the form kept in the index.
package struct BlockChecksums: Sendable {
    static let blockBytes = 1 << 20

    private(set) var encoded: [UInt8] = []
    private var current = CRC32C()
    private var filled = 0

    package init() {}

    /// Continues with the next bytes of the blob.
    package mutating func update(_ bytes: UnsafeRawBufferPointer) {
        var rest = bytes
        while !rest.isEmpty {
            let count = min(rest.count, Self.blockBytes - filled)
            current.update(UnsafeRawBufferPointer(rebasing: rest[..<count]))
            filled += count
            rest = UnsafeRawBufferPointer(rebasing: rest[count...])
            if filled == Self.blockBytes { endBlock() }
        }
    }

    /// The checksums of everything that was given.
    package mutating func finish() -> [UInt8] {
        if filled > 0 { endBlock() }
        return encoded
    }

    /// The checksums of bytes held in memory.
    package static func of(_ bytes: [UInt8]) -> [UInt8] {
        var checksums = BlockChecksums()
        bytes.withUnsafeBytes { checksums.update($0) }
        return checksums.finish()
    }

    private mutating func endBlock() {
        let value = current.value
        for shift in [0, 8, 16, 24] as [UInt32] { encoded.append(UInt8(truncatingIfNeeded: value >> shift)) }
        current = CRC32C()
        filled = 0
    }

    /// The recorded value of block `index`, or nil when there is none.
    static func value(_ encoded: [UInt8], block index: Int) -> UInt32? {
        guard index * 4 + 4 <= encoded.count else { return nil }
        return (0..<4).reduce(UInt32(0)) { $0 | UInt32(encoded[index * 4 + $1]) << UInt32($1 * 8) }
    }
}
