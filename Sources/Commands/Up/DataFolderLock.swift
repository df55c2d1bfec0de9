import Bytes
import Glibc

/// The right to run on a data folder, held by one process at a time for as long as it lives.
struct DataFolderLock {
    private let descriptor: Int32

    /// Takes the lock. Throws `CommandFailure` naming the process that holds it.
    init(folder: String) throws {
        let path = "\(folder)/up.lock"
        descriptor = open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0o600)
        guard descriptor >= 0 else {
            throw CommandFailure("cannot write to the data folder \(folder): \(String(cString: strerror(errno)))")
        }
        guard flock(descriptor, LOCK_EX | LOCK_NB) == 0 else {
            let holder = (try? PrivateFile.read(path)).flatMap { $0 }.map { String(utf8: $0) } ?? ""
            close(descriptor)
            throw CommandFailure(
                "the data folder \(folder) is in use by `slipway up`" + (holder.isEmpty ? "" : ", process \(holder)"),
                hint: "Stop it, or give another folder with --data.")
        }
        ftruncate(descriptor, 0)
        let text = Array("\(getpid())".utf8)
        _ = text.withUnsafeBytes { pwrite(descriptor, $0.baseAddress, $0.count, 0) }
    }
}
