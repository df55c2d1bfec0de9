// The file operations that more than one target needs. All of them block: not to be called on an event loop.

import Bytes
package import Glibc

package enum FileTools {
    /// The bytes of a file, of a larger one the first `bytesMax`; nil when it cannot be read.
    package static func read(_ path: String, bytesMax: Int = 64 << 20) -> [UInt8]? {
        let file = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK)
        guard file >= 0 else { return nil }
        defer { close(file) }
        var status = stat()
        guard fstat(file, &status) == 0, status.st_mode & S_IFMT == S_IFREG else { return nil }
        var bytes: [UInt8] = []
        bytes.reserveCapacity(min(Int(status.st_size), bytesMax))
        var buffer = [UInt8](repeating: 0, count: 64 * 1024)
        while bytes.count < bytesMax {
            let wanted = min(buffer.count, bytesMax - bytes.count)
            let count = buffer.withUnsafeMutableBytes { Glibc.read(file, $0.baseAddress, wanted) }
            if count < 0 {
                if errno == EINTR { continue }
                return nil
            }
            if count == 0 { break }
            bytes.append(contentsOf: buffer[..<count])
        }
        return bytes
    }

    /// All bytes of a file; nil when it cannot be read or has more than `bytesMax`.
    package static func readAll(_ path: String, bytesMax: Int) -> [UInt8]? {
        guard let bytes = read(path, bytesMax: bytesMax + 1), bytes.count <= bytesMax else { return nil }
        return bytes
    }

    /// Writes a file so that it appears whole or not at all, with exactly this mode.
    ///
    /// - Parameter isDurable: true returns when the disk has the bytes and the name.
    package static func write(
        _ path: String, _ bytes: [UInt8], mode: mode_t = 0o640, isDurable: Bool = false
    ) throws(SystemError) {
        let beside = path + ".new"
        do throws(SystemError) {
            let writer = try FileWriter(beside, mode: mode)
            fchmod(writer.descriptor, mode)
            try writer.write(bytes)
            if isDurable { try writer.sync() }
            try move(beside, to: path, isDurable: isDurable)
        } catch {
            unlink(beside)
            throw error
        }
    }

    /// Makes a folder and its parents.
    package static func makeFolder(_ path: String, mode: mode_t = 0o750) throws(SystemError) {
        if mkdir(path, mode) == 0 || errno == EEXIST { return }
        guard errno == ENOENT, let parent = path.divided(atLast: "/")?.before, !parent.isEmpty else {
            throw SystemError("mkdir")
        }
        try makeFolder(String(parent), mode: mode)
        guard mkdir(path, mode) == 0 || errno == EEXIST else { throw SystemError("mkdir") }
    }

    /// - Parameter isDurable: true returns when the disk has the new name.
    package static func move(_ path: String, to target: String, isDurable: Bool = false) throws(SystemError) {
        guard rename(path, target) == 0 else { throw SystemError("rename") }
        guard isDurable else { return }
        let folder = target.divided(atLast: "/").map { "\($0.before)/" } ?? "."
        let descriptor = open(folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC)
        // A folder that may be written but not read cannot be synced; nor can any on some network file systems.
        guard descriptor >= 0 else { return }
        defer { close(descriptor) }
        guard fsync(descriptor) == 0 || errno == EINVAL else { throw SystemError("fsync") }
    }

    package static func exists(_ path: String) -> Bool { access(path, F_OK) == 0 }

    /// True for a folder, and for a link to one.
    package static func isFolder(_ path: String) -> Bool { kind(path) == S_IFDIR }

    /// True for a regular file, and for a link to one.
    package static func isFile(_ path: String) -> Bool { kind(path) == S_IFREG }

    private static func kind(_ path: String) -> mode_t? {
        var status = stat()
        return stat(path, &status) == 0 ? status.st_mode & S_IFMT : nil
    }

    /// The names in a folder, sorted, without `.` and `..`.
    package static func list(_ folder: String) throws(SystemError) -> [String] {
        guard let stream = opendir(folder) else { throw SystemError("opendir") }
        defer { closedir(stream) }
        var names: [String] = []
        while let entry = readdir(stream) {
            let name = withUnsafeBytes(of: &entry.pointee.d_name) { String(utf8: $0.prefix { $0 != 0 }) }
            if name != ".", name != ".." { names.append(name) }
        }
        return names.sorted()
    }

    /// The same; empty when the folder cannot be read.
    package static func names(in folder: String) -> [String] { (try? list(folder)) ?? [] }

    /// Deletes a file, or a folder and all below it, whatever bytes their names have. Symbolic links are removed, never
    /// followed.
    package static func removeTree(_ path: String) { path.withCString { removeTree($0, in: AT_FDCWD) } }

    private static func removeTree(_ name: UnsafePointer<CChar>, in parent: Int32) {
        if unlinkat(parent, name, 0) == 0 || errno == ENOENT { return }
        let folder = openat(parent, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC)
        if folder >= 0 {
            if let stream = fdopendir(folder) { removeEntries(stream, in: folder) } else { close(folder) }
        }
        unlinkat(parent, name, AT_REMOVEDIR)
    }

    private static func removeEntries(_ stream: OpaquePointer, in folder: Int32) {
        defer { closedir(stream) }
        while let entry = readdir(stream) {
            withUnsafeBytes(of: &entry.pointee.d_name) { bytes in
                guard let name = bytes.baseAddress?.assumingMemoryBound(to: CChar.self) else { return }
                if strcmp(name, ".") != 0, strcmp(name, "..") != 0 { removeTree(name, in: folder) }
            }
        }
    }
}
