package import Glibc

/// A file being written; closed with the last reference. Its methods block.
package final class FileWriter: Sendable {
    let descriptor: Int32

    /// Opens the file at `path`, empty.
    ///
    /// - Parameters:
    ///   - mode: of a file that is made, less the process's mask.
    ///   - isNew: true refuses a file, or a link, that is there already.
    package init(_ path: String, mode: mode_t, isNew: Bool = false) throws(SystemError) {
        descriptor = open(path, O_WRONLY | O_CREAT | O_CLOEXEC | (isNew ? O_EXCL : O_TRUNC), mode)
        guard descriptor >= 0 else { throw SystemError("open") }
    }

    /// Takes over a descriptor that is open for writing.
    package init(_ descriptor: Int32) { self.descriptor = descriptor }

    deinit { close(descriptor) }

    /// Writes the first `count` of `bytes`, or all, behind what was written before.
    package func write(_ bytes: [UInt8], count: Int = .max) throws(SystemError) {
        let code = bytes.withUnsafeBytes { put(UnsafeRawBufferPointer(rebasing: $0.prefix(count))) }
        guard code == 0 else { throw SystemError("write", code: code) }
    }

    package func write(_ bytes: UnsafeRawBufferPointer) throws(SystemError) {
        let code = put(bytes)
        guard code == 0 else { throw SystemError("write", code: code) }
    }

    /// Returns when the bytes are on disk. The file's name may not be: `FileTools.write` sees to both.
    package func sync() throws(SystemError) {
        guard fsync(descriptor) == 0 else { throw SystemError("fsync") }
    }

    /// The number of the error; 0 when all is written.
    private func put(_ bytes: UnsafeRawBufferPointer) -> Int32 {
        var offset = 0
        while offset < bytes.count {
            let count = Glibc.write(descriptor, bytes.baseAddress?.advanced(by: offset), bytes.count - offset)
            if count > 0 {
                offset += count
            } else if count == 0 || errno != EINTR {
                return count == 0 ? EIO : errno
            }
        }
        return 0
    }
}
