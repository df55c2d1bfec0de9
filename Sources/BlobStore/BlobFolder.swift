// The data folder on disk:
//
//     format            one line, "slipway-store 1": what a later release may read or must refuse
//     lock              held with flock(2) by the process that serves the folder
//     ballast           empty room that is given up when the disk is full, so that deletes can still be recorded
//     index.db*         the index (SQLite), not this target's business
//     tmp/              files being written; emptied at start
//     blobs/<n>/<id>    one file a blob, n = id >> 12
//
// No name is ever made from a client's key, so nothing a client sends can lead outside the folder.

import Bytes
import Files
import Glibc

/// The lock on a data folder, held until the last reference goes or the process ends.
private final class FolderLock: Sendable {
    private let descriptor: Int32

    init(_ path: String) throws(BlobError) {
        descriptor = try FileSystem.open(path, O_RDWR | O_CREAT)
        // A process that was killed, or a child that it was just starting, may hold the lock for an instant longer.
        var triesLeft = 25
        while flock(descriptor, LOCK_EX | LOCK_NB) != 0 {
            let number = errno
            if number == EWOULDBLOCK, triesLeft > 0 {
                triesLeft -= 1
                usleep(10_000)
                continue
            }
            close(descriptor)
            guard number == EWOULDBLOCK else { throw FileSystem.failure("flock", path, number) }
            throw BlobError(.locked, "another process serves this folder (\(path) is locked)")
        }
    }

    deinit { close(descriptor) }
}

/// The opened and locked data folder.
struct BlobFolder: Sendable {
    static let formatLine = "slipway-store 1\n"
    static let ballastBytes: Int64 = 4 << 20

    let path: String
    private let lock: FolderLock

    var blobs: String { "\(path)/blobs" }
    var temporary: String { "\(path)/tmp" }
    private var ballast: String { "\(path)/ballast" }

    func folder(of id: BlobID) -> String { "\(blobs)/\(id.folderName)" }
    func file(of id: BlobID) -> String { "\(blobs)/\(id.folderName)/\(id.fileName)" }
    func temporaryFile(of id: BlobID) -> String { "\(temporary)/\(id.fileName)" }

    /// Makes what is missing, takes the lock and empties `tmp/`.
    ///
    /// Throws `locked` when another process serves the folder, `incompatible` when it holds something else.
    init(path: String) throws(BlobError) {
        self.path = path
        _ = try FileSystem.makeFolder(path)
        lock = try FolderLock("\(path)/lock")
        if access("\(path)/.minio.sys", F_OK) == 0 {
            throw BlobError(
                .incompatible, "\(path) is a MinIO data folder; give Slipway another one and copy through S3")
        }
        try Self.checkFormat(path)
        // A full disk must not stop a start: the index needs a few pages for its own recovery.
        if let space = try? FileSystem.space(path), space.freeBytes < Self.ballastBytes { releaseBallast() }
        let hasNewBlobs = try FileSystem.makeFolder(blobs)
        let hasNewTemporary = try FileSystem.makeFolder(temporary)
        if hasNewBlobs || hasNewTemporary { try FileSystem.syncFolder(path) }
        for name in FileTools.names(in: temporary) { try FileSystem.remove("\(temporary)/\(name)") }
    }

    private static func checkFormat(_ folder: String) throws(BlobError) {
        let path = "\(folder)/format"
        if access(path, F_OK) == 0 {
            let descriptor = try FileSystem.open(path, O_RDONLY)
            defer { close(descriptor) }
            var bytes = [UInt8](repeating: 0, count: formatLine.utf8.count)
            let count = bytes.withUnsafeMutableBytes { pread(descriptor, $0.baseAddress, $0.count, 0) }
            // An empty file is a first start that was cut off before its line was written.
            if count == bytes.count, String(utf8: bytes) == formatLine { return }
            guard count == 0 else {
                throw BlobError(.incompatible, "\(path) does not say \"slipway-store 1\": made by another release?")
            }
        }
        let descriptor = try FileSystem.open(path, O_WRONLY | O_CREAT)
        defer { close(descriptor) }
        try FileSystem.write(descriptor, Array(formatLine.utf8))
        try FileSystem.sync(descriptor)
        try FileSystem.syncFolder(folder)
    }

    /// Reserves the ballast when there is plenty of room and it is not there.
    func layBallast() {
        guard access(ballast, F_OK) != 0, let space = try? FileSystem.space(path),
            space.freeBytes > 4 * Self.ballastBytes,
            let descriptor = try? FileSystem.open(ballast, O_WRONLY | O_CREAT)
        else { return }
        if posix_fallocate(descriptor, 0, off_t(Self.ballastBytes)) != 0 { unlink(ballast) }
        close(descriptor)
    }

    /// Gives the ballast up. True when there was one.
    @discardableResult
    func releaseBallast() -> Bool { unlink(ballast) == 0 }
}
