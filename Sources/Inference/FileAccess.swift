import Bytes
import Files
import Glibc

/// The file operations that a model repository has beside the common ones. All block.
enum FileAccess {
    struct Attributes {
        let isFolder: Bool
        let size: Int64
        let modifiedNanoseconds: Int64
    }

    /// Follows symbolic links; nil when there is nothing.
    static func attributes(_ path: String) -> Attributes? {
        var status = stat()
        guard stat(path, &status) == 0 else { return nil }
        return Attributes(
            isFolder: status.st_mode & S_IFMT == S_IFDIR, size: Int64(status.st_size),
            modifiedNanoseconds: Int64(status.st_mtim.tv_sec) * 1_000_000_000 + Int64(status.st_mtim.tv_nsec))
    }

    /// A new file, with the folders above it; nil when it cannot be made.
    static func writer(_ path: String) -> FileWriter? {
        makeFolder(above: path) ? try? FileWriter(path, mode: 0o600) : nil
    }

    /// Puts a file with `bytes` in the place of what was at `path`, durably. False when that is not possible.
    static func replace(_ path: String, _ bytes: [UInt8]) -> Bool {
        makeFolder(above: path) && (try? FileTools.write(path, bytes, mode: 0o600, isDurable: true)) != nil
    }

    private static func makeFolder(above path: String) -> Bool {
        let folder = path.divided(atLast: "/").map { String($0.before) } ?? "."
        return (try? FileTools.makeFolder(folder, mode: 0o700)) != nil
    }
}
