// A disk that is full must not stop reads, listings and deletes, and a delete has to be written down before it is
// acknowledged. So new bytes are refused while there is still room for that: below the reserve nothing is taken. And
// because other programs fill disks too, a ballast file is given up when even the index finds no room.

import Glibc

extension BlobStore {
    /// Bytes that stay free on the disk: an eighth of it, between 8 and 256 MiB.
    private static func reserveBytes(totalBytes: Int64) -> Int64 { min(max(totalBytes / 8, 8 << 20), 256 << 20) }

    /// Throws `full` when taking `bytes` more would reach into the reserve. Blocks for one `statvfs`.
    package func requireSpace(for bytes: Int64) throws(BlobError) {
        let space = try FileSystem.space(folder.path)
        guard space.freeBytes - bytes >= Self.reserveBytes(totalBytes: space.totalBytes) else {
            throw BlobError(.full, "the disk has \(space.freeBytes) bytes left, of which a reserve is kept")
        }
    }

    /// Free and total bytes of the disk, for metrics; nil when the system does not tell.
    package var space: (freeBytes: Int64, totalBytes: Int64)? { try? FileSystem.space(folder.path) }

    /// Makes room for the index on a full disk. True when there was ballast to give up.
    package func releaseBallast() -> Bool { folder.releaseBallast() }

    /// Reserves the ballast again when there is room for it.
    package func layBallast() { folder.layBallast() }
}
