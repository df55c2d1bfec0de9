import Bytes
import Files
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

    static func makeFolder(_ path: String, mode: mode_t = 0o777) throws {
        do throws(SystemError) { try FileTools.makeFolder(path, mode: mode) } catch {
            throw failure("make the folder", path, error.code)
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
            let names: [String]
            do throws(SystemError) { names = try FileTools.list(next) } catch {
                throw failure("read the folder", next, error.code)
            }
            for name in names {
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

    static func failure(_ doing: String, _ path: String, _ code: Int32 = errno) -> MCError {
        MCError(.file, "Unable to \(doing) `\(path)`. \(String(cString: strerror(code))).")
    }
}

/// A file that appears whole or not at all: written beside, renamed at the end.
final class LocalFileWriter {
    private let path: String
    private let beside: String
    private let writer: FileWriter

    init(_ path: String, mode: mode_t = 0o666) throws {
        self.path = path
        beside = "\(path).\(Randomness.nameSuffix(8)).part.minio"
        do throws(SystemError) { writer = try FileWriter(beside, mode: mode, isNew: true) } catch {
            throw LocalFiles.failure("write", path, error.code)
        }
    }

    /// What was not finished goes; after `finish` nothing has that name.
    deinit { unlink(beside) }

    func write(_ bytes: [UInt8]) throws {
        do throws(SystemError) { try writer.write(bytes) } catch {
            throw LocalFiles.failure("write", path, error.code)
        }
    }

    func finish() throws {
        guard rename(beside, path) == 0 else { throw LocalFiles.failure("write", path) }
    }
}
