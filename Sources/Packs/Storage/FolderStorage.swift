package import EventLoop
import Files
import Glibc

/// Packs in a folder of this machine: a mounted NAS, or what another tool fills.
package struct FolderStorage: PackStorage {
    private let path: String
    private let pool: BlockingPool

    package init(path: String, pool: BlockingPool) {
        self.path = path.hasSuffix("/") && path.count > 1 ? String(path.dropLast()) : path
        self.pool = pool
    }

    package var name: String { path }

    package func names(_ folder: String) async throws(PackError) -> [String] {
        try await blocking(pool) { [path] () throws(PackError) in
            try Self.check(path)
            return FileTools.names(in: "\(path)/\(folder)")
        }
    }

    package func fetch(_ path: String, into file: IncomingFile) async throws(PackError) -> Bool {
        let folder = self.path
        return try await blocking(pool) { () throws(PackError) in
            try Self.check(folder)
            return try Self.copy("\(folder)/\(path)", into: file)
        }
    }

    /// A storage that is away is another mistake than a pack that is not in it.
    private static func check(_ path: String) throws(PackError) {
        guard FileTools.isFolder(path) else {
            throw PackError(.storageFailed, "the storage folder \(path) is not there; is it mounted?")
        }
    }

    private static func copy(_ source: String, into file: IncomingFile) throws(PackError) -> Bool {
        let descriptor = open(source, O_RDONLY | O_CLOEXEC | O_NONBLOCK)
        guard descriptor >= 0 else {
            if errno == ENOENT || errno == ENOTDIR { return false }
            throw PackError(.storageFailed, "the storage cannot be read: \(String(cString: strerror(errno)))")
        }
        defer { close(descriptor) }
        var status = stat()
        guard fstat(descriptor, &status) == 0, status.st_mode & S_IFMT == S_IFREG else {
            throw PackError(.packInvalid, "what stands for a zip in the storage is not a file")
        }
        var buffer = [UInt8](repeating: 0, count: 256 * 1024)
        while true {
            let count = buffer.withUnsafeMutableBytes { read(descriptor, $0.baseAddress, $0.count) }
            if count < 0, errno == EINTR { continue }
            guard count >= 0 else {
                throw PackError(.storageFailed, "the storage cannot be read: \(String(cString: strerror(errno)))")
            }
            if count == 0 { return true }
            try file.append(Array(buffer[..<count]))
        }
    }
}

/// Runs blocking work; a full pool is `overloaded`.
func blocking<Value: Sendable>(
    _ pool: BlockingPool, _ body: @escaping @Sendable () throws(PackError) -> Value
) async throws(PackError) -> Value {
    do {
        return try await pool.run(body)
    } catch let error as PackError {
        throw error
    } catch {
        throw PackError(.overloaded, "too many file operations wait; try again later")
    }
}
