import Bytes
import Glibc

/// The few file operations a model repository needs. All block.
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

    /// The names in a folder, sorted, without `.` and `..`; nil when it cannot be read.
    static func names(_ folder: String) -> [String]? {
        guard let stream = opendir(folder) else { return nil }
        defer { closedir(stream) }
        var names: [String] = []
        while let entry = readdir(stream) {
            let name = withUnsafeBytes(of: &entry.pointee.d_name) { String(utf8: $0.prefix { $0 != 0 }) }
            if name != ".", name != ".." { names.append(name) }
        }
        return names.sorted()
    }

    /// The bytes of a file; nil when there is none or it is larger than `bytesMax`.
    static func read(_ path: String, bytesMax: Int) -> [UInt8]? {
        let descriptor = open(path, O_RDONLY | O_CLOEXEC)
        guard descriptor >= 0 else { return nil }
        defer { close(descriptor) }
        var bytes: [UInt8] = []
        var chunk = [UInt8](repeating: 0, count: 64 * 1024)
        while true {
            let count = chunk.withUnsafeMutableBytes { Glibc.read(descriptor, $0.baseAddress, $0.count) }
            if count < 0, errno == EINTR { continue }
            guard count >= 0 else { return nil }
            if count == 0 { return bytes }
            guard bytes.count + count <= bytesMax else { return nil }
            bytes.append(contentsOf: chunk[..<count])
        }
    }

    /// Makes a folder and those above it. False when that is not possible.
    static func makeFolder(_ path: String) -> Bool {
        var partial = path.hasPrefix("/") ? "/" : ""
        for component in path.split(separator: "/") {
            partial += component + "/"
            if mkdir(partial, 0o700) != 0, errno != EEXIST { return false }
        }
        return true
    }

    /// Removes a file, or a folder with all that is in it; links are not followed.
    static func remove(_ path: String) {
        var status = stat()
        guard lstat(path, &status) == 0 else { return }
        if status.st_mode & S_IFMT == S_IFDIR {
            for name in names(path) ?? [] { remove("\(path)/\(name)") }
            rmdir(path)
        } else {
            unlink(path)
        }
    }

    /// Puts a file with `bytes` in the place of what was at `path`, durably. False when that is not possible, and then
    /// nothing has changed.
    static func replace(_ path: String, _ bytes: [UInt8]) -> Bool {
        let folder = path.lastIndex(of: "/").map { String(path[..<$0]) } ?? "."
        let beside = path + ".new"
        guard makeFolder(folder), let writer = Writer(beside), writer.write(bytes), writer.sync(),
            rename(beside, path) == 0
        else {
            unlink(beside)
            return false
        }
        let descriptor = open(folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC)
        guard descriptor >= 0 else { return false }
        defer { close(descriptor) }
        return fsync(descriptor) == 0
    }

    /// A file being written; closed with the last reference.
    final class Writer: Sendable {
        private let descriptor: Int32

        /// Nil when the file cannot be made.
        init?(_ path: String) {
            descriptor = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0o600)
            guard descriptor >= 0 else { return nil }
        }

        deinit { close(descriptor) }

        func sync() -> Bool { fsync(descriptor) == 0 }

        /// False when the disk is full or fails.
        func write(_ bytes: [UInt8]) -> Bool {
            var written = 0
            while written < bytes.count {
                let count = bytes.withUnsafeBytes {
                    Glibc.write(descriptor, $0.baseAddress.map { $0 + written }, $0.count - written)
                }
                if count < 0, errno == EINTR { continue }
                guard count > 0 else { return false }
                written += count
            }
            return true
        }
    }
}
