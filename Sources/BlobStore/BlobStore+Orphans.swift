// Files that nothing names: written and in place, but the process ended before the index named them, or named no more
// but not yet removed. They are found by walking blobs/ once after a start, in the background, so that a store of a
// million objects is ready at once.

import Bytes
import Files
import Glibc

extension BlobStore {
    /// Removes every file with an id of at most `lastID` that `living` does not confirm; returns how many went.
    ///
    /// `living` gets the ids of one folder (4,096 at most) and returns those the index names.
    package func collectOrphans(
        upTo lastID: Int64, living: @Sendable ([BlobID]) async throws -> Set<BlobID>
    ) async throws -> Int {
        let folders = try await onPool { () throws(BlobError) in FileTools.names(in: self.folder.blobs) }
        var removedCount = 0
        for name in folders {
            let path = "\(folder.blobs)/\(name)"
            let ids = try await onPool { () throws(BlobError) in
                FileTools.names(in: path).compactMap { BlobID(fileName: $0) }.filter { $0.value <= lastID }
            }
            let alive = try await living(ids)
            let orphans = ids.filter { !alive.contains($0) && $0.folderName == name }
            removedCount += orphans.count
            let isCurrent = name == BlobID(self.lastID).folderName
            try await onPool { () throws(BlobError) in
                for id in orphans { try FileSystem.remove(self.folder.file(of: id)) }
                // An empty folder of the past goes; the one being filled stays. rmdir refuses a folder with files.
                if !isCurrent { rmdir(path) }
            }
        }
        return removedCount
    }
}
