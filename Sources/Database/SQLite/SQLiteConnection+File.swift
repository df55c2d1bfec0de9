import Bytes
import Glibc

extension SQLiteConnection {
    /// Opens the file at `path` for the one writer, made when it is missing, in the mode that survives a power cut.
    static func opening(_ path: String, cacheKibibytes: Int) throws -> SQLiteConnection {
        let connection = try SQLiteConnection(path: path, readOnly: false, cacheKibibytes: cacheKibibytes)
        var mode = ""
        try connection.forEach("PRAGMA journal_mode = WAL", []) {
            mode = $0.text(0)
            return false
        }
        guard mode == "wal" else { throw DatabaseError(.cannotOpen, "the file system does not support a shared log") }
        // FULL: the log is on the disk before COMMIT returns. NORMAL would lose acknowledged writes with the power.
        try connection.execute("PRAGMA synchronous = FULL")
        try connection.execute("PRAGMA wal_autocheckpoint = 4000")
        try connection.execute("PRAGMA journal_size_limit = 67108864")
        return connection
    }

    /// Writes a copy of the database beside `place` and renames it there, over the copy that an earlier attempt left.
    func copy(to place: String) throws(DatabaseError) {
        // A name of its own: several servers may start, and copy, at once.
        let partial = "\(path).partial-\(Randomness.nameSuffix(8))"
        do throws(DatabaseError) { try execute("VACUUM INTO ?", [.text(partial)]) } catch {
            unlink(partial)
            throw error
        }
        guard rename(partial, place) == 0 else {
            throw DatabaseError(.inputOutput, "the copy made before migrating cannot be renamed")
        }
    }

    /// Makes the names of a newly made file durable (`fsync` of its folder).
    func syncFolder() throws(DatabaseError) {
        let folder = path.divided(atLast: "/").map { "\($0.before)/" } ?? "."
        let descriptor = open(folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC)
        guard descriptor >= 0 else { throw DatabaseError(.cannotOpen, "the folder cannot be opened") }
        defer { _ = Glibc.close(descriptor) }
        guard fsync(descriptor) == 0 else { throw DatabaseError(.inputOutput, "the folder cannot be synced") }
    }
}
