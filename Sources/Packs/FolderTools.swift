import Bytes
import Glibc

/// The few file operations a pack needs. All block.
enum FolderTools {
    static func isFolder(_ path: String) -> Bool {
        var status = stat()
        return stat(path, &status) == 0 && status.st_mode & S_IFMT == S_IFDIR
    }

    static func isFile(_ path: String) -> Bool {
        var status = stat()
        return stat(path, &status) == 0 && status.st_mode & S_IFMT == S_IFREG
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

    /// Makes a folder and those above it. Throws `failed`.
    static func make(_ path: String) throws(PackError) {
        if mkdir(path, 0o750) == 0 || errno == EEXIST { return }
        if errno == ENOENT, let slash = path.lastIndex(of: "/"), slash != path.startIndex {
            try make(String(path[..<slash]))
            if mkdir(path, 0o750) == 0 || errno == EEXIST { return }
        }
        throw PackError(.failed, "the pack's folder cannot be written: \(String(cString: strerror(errno)))")
    }

    /// Removes a file, or a folder with all that is in it; links are removed, never followed.
    static func remove(_ path: String) {
        if unlink(path) == 0 || errno == ENOENT { return }
        for name in names(path) ?? [] { remove("\(path)/\(name)") }
        rmdir(path)
    }

    /// Moves a file whose bytes are synced to its place, and syncs the folder. Throws `failed`.
    static func publish(_ path: String, as target: String) throws(PackError) {
        guard rename(path, target) == 0 else {
            throw PackError(.failed, "a file of the pack cannot be replaced: \(String(cString: strerror(errno)))")
        }
        let folder = open(String(target[..<(target.lastIndex(of: "/") ?? target.startIndex)]), O_RDONLY | O_CLOEXEC)
        guard folder >= 0 else { return }
        fsync(folder)
        close(folder)
    }

    /// The first `bytesMax` bytes of a small text file; nil when there is none.
    static func text(_ path: String, bytesMax: Int = 4096) -> String? {
        let file = open(path, O_RDONLY | O_CLOEXEC)
        guard file >= 0 else { return nil }
        defer { close(file) }
        var bytes = [UInt8](repeating: 0, count: bytesMax)
        let count = bytes.withUnsafeMutableBytes { read(file, $0.baseAddress, $0.count) }
        return count < 0 ? nil : String(utf8: bytes.prefix(count))
    }
}
