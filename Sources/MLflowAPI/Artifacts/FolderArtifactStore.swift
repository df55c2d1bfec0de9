// Artifacts in a folder of this machine. Every path is walked one component at a time with O_NOFOLLOW from a descriptor
// of the root, so neither a symbolic link nor a race with a rename leads out of it.

import Bytes
package import EventLoop
import Files
import Glibc
package import HTTP

package struct FolderArtifactStore: ArtifactStore {
    private let root: Folder
    private let pool: BlockingPool
    /// Files whose upload is not complete; never listed.
    private static let partialPrefix = ".slipway-upload-"

    /// Opens `folder`, made when it is missing. Blocks: for start-up only.
    package init(folder: String, pool: BlockingPool) throws {
        try? FileTools.makeFolder(folder, mode: 0o700)
        let descriptor = open(folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC)
        guard descriptor >= 0 else { throw FolderError(code: errno) }
        root = Folder(descriptor)
        self.pool = pool
    }

    package func list(_ path: String) async throws -> [ArtifactEntry] {
        try await pool.run {
            guard let folder = try? root.descend(path, making: false) else { return [] }
            return try folder.entries().filter { !$0.name.hasPrefix(Self.partialPrefix) }
        }
    }

    package func read(_ path: String) async throws -> (length: Int?, body: ResponseBody) {
        let region: FileRegion? = try await pool.run {
            let (parent, name) = Self.split(path)
            guard let folder = try? root.descend(parent, making: false) else { return nil }
            let file = openat(folder.descriptor, name, O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC)
            guard file >= 0 else { return nil }
            var information = stat()
            guard fstat(file, &information) == 0, information.st_mode & S_IFMT == S_IFREG else {
                _ = close(file)
                return nil
            }
            return FileRegion(descriptor: file, range: 0..<Int64(information.st_size)) { _ = close($0) }
        }
        guard let region else { throw MLflowError.missing("No such artifact: '\(path.prefix(200))'") }
        return (Int(region.range.count), .file(region))
    }

    package func write(_ path: String, _ body: RequestBody) async throws {
        let (parent, name) = Self.split(path)
        guard !name.isEmpty else { throw MLflowError.invalid("Invalid path: '': give the artifact a name.") }
        let partial = "\(Self.partialPrefix)\(Randomness.hexID())"
        let (folder, file): (Folder, Int32) = try await run {
            let folder = try root.descend(parent, making: true)
            let file = openat(folder.descriptor, partial, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0o600)
            guard file >= 0 else { throw FolderError(code: errno) }
            return (folder, file)
        }
        do {
            while let chunk = try await body.next() {
                try await run { try Self.append(chunk, to: file) }
            }
            try await run {
                guard fsync(file) == 0 else { throw FolderError(code: errno) }
                guard renameat(folder.descriptor, partial, folder.descriptor, name) == 0 else {
                    throw FolderError(code: errno)
                }
                guard fsync(folder.descriptor) == 0 else { throw FolderError(code: errno) }
                _ = close(file)
            }
        } catch {
            try? await run {
                _ = close(file)
                _ = unlinkat(folder.descriptor, partial, 0)
            }
            throw error
        }
    }

    package func delete(_ path: String) async throws {
        let (parent, name) = Self.split(path)
        guard !name.isEmpty else { throw MLflowError.invalid("Invalid path: '': name the artifact to delete.") }
        try await run {
            guard let folder = try? root.descend(parent, making: false) else { return }
            try folder.remove(name, depth: 0)
        }
    }

    /// Runs `body` on the pool; an error of the file system becomes an answer that names no path of ours.
    private func run<Value: Sendable>(_ body: @escaping @Sendable () throws -> Value) async throws -> Value {
        do { return try await pool.run(body) } catch let error as FolderError { throw error.answer }
    }

    private static func split(_ path: String) -> (parent: String, name: String) {
        path.divided(atLast: "/").map { (String($0.before), String($0.after)) } ?? ("", path)
    }

    private static func append(_ chunk: [UInt8], to file: Int32) throws(FolderError) {
        var offset = 0
        while offset < chunk.count {
            let count = chunk.withUnsafeBytes {
                Glibc.write(file, $0.baseAddress.map { $0 + offset }, chunk.count - offset)
            }
            if count < 0, errno == EINTR { continue }
            guard count > 0 else { throw FolderError(code: errno) }
            offset += count
        }
    }
}

/// An error number of the file system.
struct FolderError: Error {
    let code: Int32

    var answer: MLflowError {
        switch code {
        case ENOTDIR, EISDIR, ENOTEMPTY, EEXIST:
            .invalid("The artifact path goes through a file, or names a folder that is there: choose another path.")
        case ENAMETOOLONG, ELOOP: .invalid("The artifact path is too long or goes through a link.")
        case ENOSPC, EDQUOT:
            MLflowError(
                status: .insufficientStorage, code: "INTERNAL_ERROR",
                message: "The artifact store is full: free space on its disk.")
        default:
            MLflowError(
                status: .internalServerError, code: "INTERNAL_ERROR",
                message: "The artifact store failed with error \(code) of the file system.")
        }
    }
}

/// An open folder, closed with the last reference.
private final class Folder: Sendable {
    let descriptor: Int32

    init(_ descriptor: Int32) { self.descriptor = descriptor }
    deinit { _ = close(descriptor) }

    /// The folder at `path` below this one.
    func descend(_ path: String, making: Bool) throws(FolderError) -> Folder {
        var current = self
        for part in path.pieces(by: "/") {
            guard part != ".", part != ".." else { throw FolderError(code: ENOTDIR) }
            if making, mkdirat(current.descriptor, String(part), 0o700) == 0 { fsync(current.descriptor) }
            let next = openat(current.descriptor, String(part), O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC)
            guard next >= 0 else { throw FolderError(code: errno) }
            current = Folder(next)
        }
        return current
    }

    func entries() throws(FolderError) -> [ArtifactEntry] {
        // The stream owns its descriptor, so it gets one of its own, with its own position.
        let copy = openat(descriptor, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC)
        guard copy >= 0, let stream = fdopendir(copy) else { throw FolderError(code: errno) }
        defer { closedir(stream) }
        var out: [ArtifactEntry] = []
        while let entry = readdir(stream) {
            let name = withUnsafeBytes(of: &entry.pointee.d_name) { String(utf8: $0.prefix { $0 != 0 }) }
            var information = stat()
            guard name != ".", name != "..", fstatat(descriptor, name, &information, AT_SYMLINK_NOFOLLOW) == 0 else {
                continue
            }
            switch information.st_mode & S_IFMT {
            case S_IFDIR: out.append(ArtifactEntry(name: name, isFolder: true, size: nil))
            case S_IFREG: out.append(ArtifactEntry(name: name, isFolder: false, size: Int64(information.st_size)))
            default: break
            }
        }
        return out.sorted { $0.name < $1.name }
    }

    /// Removes `name` and, when it is a folder, all in it.
    func remove(_ name: String, depth: Int) throws(FolderError) {
        guard !name.isEmpty, name != ".", name != "..", !name.holds("/") else { throw FolderError(code: ENOTDIR) }
        if unlinkat(descriptor, name, 0) == 0 || errno == ENOENT { return }
        guard errno == EISDIR || errno == EPERM, depth < 64 else { throw FolderError(code: errno) }
        let folder = try descend(name, making: false)
        for entry in try folder.entries() { try folder.remove(entry.name, depth: depth + 1) }
        guard unlinkat(descriptor, name, AT_REMOVEDIR) == 0 || errno == ENOENT else { throw FolderError(code: errno) }
    }
}
