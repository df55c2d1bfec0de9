// The system calls of the blob store, each with its error read at once and EINTR retried. Nothing else in this target
// touches a file descriptor's bytes.

import CLinux
import Glibc

enum FileSystem {
    @inline(never)
    static func open(_ path: String, _ flags: Int32, mode: mode_t = 0o600) throws(BlobError) -> Int32 {
        while true {
            let descriptor = Glibc.open(path, flags | O_CLOEXEC, mode)
            if descriptor >= 0 { return descriptor }
            let number = errno
            if number != EINTR { throw failure("open", path, number) }
        }
    }

    /// Writes all of `bytes` at `offset`.
    @inline(never)
    static func write(_ descriptor: Int32, _ bytes: UnsafeRawBufferPointer, at offset: Int64) throws(BlobError) {
        var done = 0
        while done < bytes.count {
            let count = pwrite(
                descriptor, bytes.baseAddress?.advanced(by: done), bytes.count - done, off_t(offset) + done)
            if count >= 0 {
                done += count
                continue
            }
            let number = errno
            if number != EINTR { throw failure("write", "", number) }
        }
    }

    /// Writes all of `bytes` at the beginning.
    static func write(_ descriptor: Int32, _ bytes: [UInt8]) throws(BlobError) {
        let failure = bytes.withUnsafeBytes { buffer -> BlobError? in
            do throws(BlobError) { try write(descriptor, buffer, at: 0) } catch { return error }
            return nil
        }
        if let failure { throw failure }
    }

    /// Fills `buffer` from `offset`. Throws `corrupt` when the file ends before.
    @inline(never)
    static func read(_ descriptor: Int32, into buffer: UnsafeMutableRawBufferPointer, at offset: Int64)
        throws(BlobError)
    {
        var done = 0
        while done < buffer.count {
            let count = pread(
                descriptor, buffer.baseAddress?.advanced(by: done), buffer.count - done, off_t(offset) + done)
            if count > 0 {
                done += count
                continue
            }
            if count == 0 {
                throw BlobError(.corrupt, "a file ends at \(offset + Int64(done)) before its recorded size")
            }
            let number = errno
            if number != EINTR { throw failure("read", "", number) }
        }
    }

    @inline(never)
    static func sync(_ descriptor: Int32) throws(BlobError) {
        while fsync(descriptor) != 0 {
            let number = errno
            if number != EINTR { throw failure("fsync", "", number) }
        }
    }

    /// Makes the names in a folder durable.
    static func syncFolder(_ path: String) throws(BlobError) {
        let descriptor = try open(path, O_RDONLY | O_DIRECTORY)
        defer { close(descriptor) }
        try sync(descriptor)
    }

    @inline(never)
    static func rename(_ from: String, _ to: String) throws(BlobError) {
        if Glibc.rename(from, to) != 0 { throw failure("rename", to, errno) }
    }

    /// Removes a file; one that is not there is no error.
    @inline(never)
    static func remove(_ path: String) throws(BlobError) {
        if unlink(path) != 0 {
            let number = errno
            if number != ENOENT { throw failure("unlink", path, number) }
        }
    }

    /// Makes a folder for this user only. True when it was not there before.
    @inline(never)
    static func makeFolder(_ path: String) throws(BlobError) -> Bool {
        if mkdir(path, 0o700) == 0 { return true }
        let number = errno
        if number == EEXIST { return false }
        throw failure("mkdir", path, number)
    }

    /// What changes when a file's bytes are changed through the file system.
    struct Signature: Equatable {
        let inode: UInt64
        let size: Int64
        let changedNanoseconds: Int64
    }

    @inline(never)
    static func signature(_ descriptor: Int32) throws(BlobError) -> Signature {
        var status = stat()
        if fstat(descriptor, &status) != 0 { throw failure("fstat", "", errno) }
        let changed = Int64(status.st_ctim.tv_sec) * 1_000_000_000 + Int64(status.st_ctim.tv_nsec)
        return Signature(inode: UInt64(status.st_ino), size: Int64(status.st_size), changedNanoseconds: changed)
    }

    /// Free and total bytes for an unprivileged user.
    static func space(_ path: String) throws(BlobError) -> (freeBytes: Int64, totalBytes: Int64) {
        var status = statvfs()
        if statvfs(path, &status) != 0 { throw failure("statvfs", path, errno) }
        return (Int64(status.f_bavail) * Int64(status.f_frsize), Int64(status.f_blocks) * Int64(status.f_frsize))
    }

    static func failure(_ call: String, _ path: String, _ number: Int32) -> BlobError {
        let code: BlobError.Code =
            switch number {
            case ENOSPC, EDQUOT: .full
            case ENOENT: .missing
            case EMFILE, ENFILE: .busy
            default: .io
            }
        return BlobError(code, "\(call)\(path.isEmpty ? "" : " \(path)"): \(String(cString: strerror(number)))")
    }
}
