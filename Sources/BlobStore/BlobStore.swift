// Immutable runs of bytes that survive a crash once they are acknowledged. What they mean (objects, parts) and which of
// them are alive is the index's business, one layer up.

package import EventLoop
import Glibc
import Log
import Synchronization

/// The blobs of one data folder.
package final class BlobStore: Sendable {
    /// Blobs up to this size are kept in the index, see BlobWriter.swift.
    package let inlineBytesMax: Int
    package let reclaimer = Reclaimer()
    /// Runs everything that blocks on the disk.
    package let pool: BlockingPool

    let folder: BlobFolder
    let verified = VerifiedBlocks()
    let log = Logger(role: "store")
    private let folderSync = FolderSync()
    private let nextID: Atomic<Int64>
    /// Folders under blobs/ that this process has made or seen, so that each is made and synced once.
    private let knownFolders = Mutex<Set<String>>([])

    /// Opens the folder at `path`, making it when it is missing.
    ///
    /// - Parameter idFloor: ids already in use are at or below it.
    package init(
        path: String, pool: BlockingPool, idFloor: Int64 = 0, inlineBytesMax: Int = 64 * 1024
    ) throws(BlobError) {
        folder = try BlobFolder(path: path)
        self.pool = pool
        self.inlineBytesMax = inlineBytesMax
        nextID = Atomic(max(idFloor, 0))
        folder.layBallast()
    }

    /// Where the index of this folder is to be kept.
    package var indexPath: String { "\(folder.path)/index.db" }

    /// Ids are taken above `floor` from now on. Called once at start, when the index can be asked.
    package func raiseIDs(above floor: Int64) {
        nextID.store(max(floor, nextID.load(ordering: .relaxed)), ordering: .relaxed)
    }

    /// The highest id given so far.
    package var lastID: Int64 { nextID.load(ordering: .relaxed) }

    package func makeID() -> BlobID { BlobID(nextID.wrappingAdd(1, ordering: .relaxed).newValue) }

    /// A writer for a new blob. `observer` sees all bytes before they are written.
    package func makeWriter(observer: @escaping BlobWriter.Observer) -> BlobWriter {
        BlobWriter(store: self, id: makeID(), observer: observer)
    }

    /// Opens a blob's file and checks the blocks that hold `range`. Throws `missing` or `corrupt`.
    package func open(
        _ id: BlobID, size: Int64, checksums: [UInt8], verifying range: Range<Int64>
    ) async throws(BlobError) -> BlobFile {
        try await onPool { () throws(BlobError) in
            let file = try BlobFile(
                id: id, path: self.folder.file(of: id), size: size, checksums: checksums, verified: self.verified)
            try file.verify(range)
            return file
        }
    }

    /// Throws `corrupt` when bytes kept in the index do not match their checksum.
    package func verifyInline(_ id: BlobID, _ data: [UInt8], checksums: [UInt8]) throws(BlobError) {
        guard BlockChecksums.of(data) == checksums else {
            throw BlobError(.corrupt, "blob \(id.fileName) in the index does not match its checksum")
        }
    }

    /// Removes blobs that the index, durably, names no more; those still being read go when their readers end.
    package func remove(_ ids: [BlobID]) async {
        let ready = reclaimer.discard(ids)
        guard !ready.isEmpty else { return }
        verified.forget(ready)
        let outcome: Void? = try? await onPool { () throws(BlobError) in
            for id in ready {
                do throws(BlobError) { try FileSystem.remove(self.folder.file(of: id)) } catch {
                    self.log.warning("a removed object's file stays until the next start", [("error", error.message)])
                }
            }
        }
        if outcome == nil { log.warning("disk queue full: \(ready.count) removed files stay until the next start") }
    }

    /// Runs blocking work of this store.
    package func onPool<Value: Sendable>(
        _ body: @escaping @Sendable () throws(BlobError) -> Value
    ) async throws(BlobError) -> Value {
        let result: Result<Value, BlobError>
        do {
            result = try await pool.run { () -> Result<Value, BlobError> in
                do throws(BlobError) { return .success(try body()) } catch { return .failure(error) }
            }
        } catch {
            throw BlobError(.busy, "the disk queue is full")
        }
        return try result.get()
    }

    /// Renames a written file into its place. Blocks.
    func place(_ id: BlobID) throws(BlobError) {
        let path = folder.folder(of: id)
        if !knownFolders.withLock({ $0.contains(path) }) {
            // Two writers may both come here; the second mkdir finds the folder and the sync is harmless.
            _ = try FileSystem.makeFolder(path)
            try FileSystem.syncFolder(folder.blobs)
            knownFolders.withLock { _ = $0.insert(path) }
        }
        try FileSystem.rename(folder.temporaryFile(of: id), folder.file(of: id))
    }

    func syncFolder(of id: BlobID) throws(BlobError) { try folderSync.sync(folder.folder(of: id)) }
}
