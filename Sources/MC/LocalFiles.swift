import Bytes
import Glibc

/// A file found below a folder.
struct LocalFile: Sendable {
    /// The folder's path as it was typed, a slash, and the path below it.
    let path: String
    let size: Int64
}

/// The machine's own files. All calls block.
enum LocalFiles {
    enum Kind { case file, folder, missing }

    static func kind(_ path: String) -> Kind {
        var status = stat()
        guard stat(path, &status) == 0 else { return .missing }
        return status.st_mode & S_IFMT == S_IFDIR ? .folder : .file
    }

    static func size(_ path: String) -> Int64 {
        var status = stat()
        return stat(path, &status) == 0 ? Int64(status.st_size) : 0
    }

    /// The bytes of a small file; nil when it cannot be read or is larger.
    static func read(_ path: String, bytesMax: Int) -> [UInt8]? {
        let descriptor = open(path, O_RDONLY | O_CLOEXEC)
        guard descriptor >= 0 else { return nil }
        defer { close(descriptor) }
        var bytes = [UInt8](repeating: 0, count: bytesMax + 1)
        var count = 0
        while count < bytes.count {
            let got = bytes.withUnsafeMutableBytes {
                Glibc.read(descriptor, $0.baseAddress.map { $0 + count }, $0.count - count)
            }
            if got < 0, errno == EINTR { continue }
            guard got >= 0 else { return nil }
            if got == 0 { break }
            count += got
        }
        return count <= bytesMax ? Array(bytes[..<count]) : nil
    }

    static func makeFolder(_ path: String, mode: mode_t = 0o777) throws {
        var partial = path.hasPrefix("/") ? "/" : ""
        for component in path.split(separator: "/") {
            partial += component + "/"
            guard mkdir(partial, mode) == 0 || errno == EEXIST else { throw failure("make the folder", path) }
        }
    }

    static func remove(_ path: String) throws {
        guard unlink(path) == 0 else { throw failure("remove", path) }
    }

    /// Puts a file in the place of what is at `path`.
    static func replace(_ path: String, _ bytes: [UInt8], mode: mode_t) throws {
        let writer = try LocalFileWriter(path, mode: mode)
        try writer.write(bytes)
        try writer.finish()
    }

    /// Every regular file below a folder, sorted; links to folders are not followed.
    static func walk(_ folder: String) throws -> [LocalFile] {
        var found: [LocalFile] = []
        var folders = [folder.count > 1 && folder.hasSuffix("/") ? String(folder.dropLast()) : folder]
        while let next = folders.popLast() {
            guard let stream = opendir(next) else { throw failure("read the folder", next) }
            defer { closedir(stream) }
            while let entry = readdir(stream) {
                let name = withUnsafeBytes(of: &entry.pointee.d_name) { String(utf8: $0.prefix { $0 != 0 }) }
                if name == "." || name == ".." { continue }
                let path = "\(next)/\(name)"
                var status = stat()
                guard lstat(path, &status) == 0 else { continue }
                if status.st_mode & S_IFMT == S_IFDIR {
                    folders.append(path)
                } else if kind(path) == .file {
                    found.append(LocalFile(path: path, size: size(path)))
                }
            }
        }
        return found.sorted { $0.path < $1.path }
    }

    static func failure(_ doing: String, _ path: String) -> MCError {
        MCError(.file, "Unable to \(doing) `\(path)`. \(String(cString: strerror(errno))).")
    }
}

/// A file that appears whole or not at all: written beside, renamed at the end.
final class LocalFileWriter {
    private let path: String
    private let beside: String
    private var descriptor: Int32

    init(_ path: String, mode: mode_t = 0o666) throws {
        self.path = path
        beside = "\(path).\(Randomness.nameSuffix(8)).part.minio"
        descriptor = open(beside, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, mode)
        guard descriptor >= 0 else { throw LocalFiles.failure("write", path) }
    }

    deinit {
        guard descriptor >= 0 else { return }
        close(descriptor)
        unlink(beside)
    }

    func write(_ bytes: [UInt8]) throws {
        var written = 0
        while written < bytes.count {
            let count = bytes.withUnsafeBytes {
                Glibc.write(descriptor, $0.baseAddress.map { $0 + written }, $0.count - written)
            }
            if count < 0, errno == EINTR { continue }
            guard count > 0 else { throw LocalFiles.failure("write", path) }
            written += count
        }
    }

    func finish() throws {
        guard rename(beside, path) == 0 else { throw LocalFiles.failure("write", path) }
        close(descriptor)
        descriptor = -1
    }
}
