import Bytes
import Digests
import Glibc

/// What was downloaded.
package struct PackFile: Sendable, Equatable {
    /// Its name in the storage, such as `20201104.zip`.
    package let name: String
    package let bytes: Int64
    /// Lower-case hexadecimal.
    package let sha256: String
}

/// A zip on its way into the local folder: written beside, synced, and moved into place when it has proved itself.
///
/// `@unchecked Sendable`: used by one download at a time.
package final class IncomingFile: @unchecked Sendable {
    let path: String
    private let name: String
    private let descriptor: Int32
    private let bytesMax: Int64
    private var hash = SHA256()
    private var count: Int64 = 0

    init(_ path: String, name: String, bytesMax: Int64) throws(PackError) {
        self.path = path
        self.name = name
        self.bytesMax = bytesMax
        descriptor = open(path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0o640)
        guard descriptor >= 0 else {
            throw PackError(.failed, "the pack's folder cannot be written: \(String(cString: strerror(errno)))")
        }
    }

    deinit { close(descriptor) }

    /// Blocks. Throws `packInvalid` over the limit and `failed` when the disk does not take it.
    package func append(_ bytes: UnsafeRawBufferPointer) throws(PackError) {
        count += Int64(bytes.count)
        guard count <= bytesMax else { throw PackError(.packInvalid, "\(name) is larger than \(bytesMax) bytes") }
        hash.update(bytes)
        var rest = bytes
        while !rest.isEmpty {
            let written = write(descriptor, rest.baseAddress, rest.count)
            if written < 0, errno == EINTR { continue }
            guard written > 0 else {
                throw PackError(.failed, "\(name) cannot be written: \(String(cString: strerror(errno)))")
            }
            rest = UnsafeRawBufferPointer(rebasing: rest[written...])
        }
    }

    package func append(_ bytes: [UInt8]) throws(PackError) {
        let result: Result<Void, PackError> = bytes.withUnsafeBytes { block in
            do throws(PackError) {
                return .success(try append(block))
            } catch {
                return .failure(error)
            }
        }
        try result.get()
    }

    /// Blocks until the bytes are on disk.
    func finish() throws(PackError) -> PackFile {
        guard fsync(descriptor) == 0 else {
            throw PackError(.failed, "\(name) cannot be written: \(String(cString: strerror(errno)))")
        }
        return PackFile(name: name, bytes: count, sha256: Hex.encode(hash.finalize()))
    }
}
