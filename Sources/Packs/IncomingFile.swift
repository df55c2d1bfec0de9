import Bytes
import Digests
import Files

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
    private let writer: FileWriter
    private let bytesMax: Int64
    private var hash = SHA256()
    private var count: Int64 = 0

    init(_ path: String, name: String, bytesMax: Int64) throws(PackError) {
        self.path = path
        self.name = name
        self.bytesMax = bytesMax
        do throws(SystemError) { writer = try FileWriter(path, mode: 0o640, isNew: true) } catch {
            throw FolderTools.notWritten(error)
        }
    }

    /// Blocks. Throws `packInvalid` over the limit and `failed` when the disk does not take it.
    package func append(_ bytes: UnsafeRawBufferPointer) throws(PackError) {
        count += Int64(bytes.count)
        guard count <= bytesMax else { throw PackError(.packInvalid, "\(name) is larger than \(bytesMax) bytes") }
        hash.update(bytes)
        do throws(SystemError) { try writer.write(bytes) } catch { throw notWritten(error) }
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
        do throws(SystemError) { try writer.sync() } catch { throw notWritten(error) }
        return PackFile(name: name, bytes: count, sha256: Hex.encode(hash.finalize()))
    }

    private func notWritten(_ error: SystemError) -> PackError {
        PackError(.failed, "\(name) cannot be written: \(error.reason)")
    }
}
