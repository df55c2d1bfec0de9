// One open archive, read from front to back. libarchive does the formats.

import Bytes
import CArchive
import Files
import Glibc

/// Made, used and dropped on one thread.
final class ArchiveReader {
    enum Format {
        /// The reader that begins with the central directory: a zip that was cut short has none, and the other reader
        /// would take the entries that are left for the whole.
        case zip
        /// Plain, or compressed with gzip or Zstandard.
        case tar
    }

    private let raw: OpaquePointer
    // libarchive converts names by the thread's locale; in the plain one every name beyond ASCII would be lost.
    private let locale = newlocale(LC_CTYPE_MASK, "C.UTF-8", nil)
    private let before: locale_t?
    private var buffer = [UInt8](repeating: 0, count: 128 * 1024)

    init(_ path: String, _ format: Format) throws(ArchiveError) {
        before = uselocale(locale)
        guard let raw = archive_read_new() else { throw ArchiveError(.failed, "no memory to read the archive") }
        self.raw = raw
        switch format {
        case .zip: archive_read_support_format_zip_seekable(raw)
        case .tar:
            archive_read_support_format_tar(raw)
            archive_read_support_filter_gzip(raw)
            archive_read_support_filter_zstd(raw)
        }
        guard archive_read_open_filename(raw, path, 64 * 1024) == ARCHIVE_OK else {
            throw ArchiveError(.malformed, "it is not a \(format) archive, or it is cut short")
        }
    }

    deinit {
        archive_read_free(raw)
        uselocale(before)
        if let locale { freelocale(locale) }
    }

    /// The next entry, good until the one after; nil at the end.
    func next() throws(ArchiveError) -> OpaquePointer? {
        var entry: OpaquePointer?
        let result = archive_read_next_header(raw, &entry)
        if result == ARCHIVE_EOF { return nil }
        // A warning here is about a name that the locale cannot hold; the bytes are read all the same.
        guard result == ARCHIVE_OK || result == ARCHIVE_WARN else { throw malformed("") }
        return entry
    }

    /// Writes the present entry's bytes to `file` and returns how many there were. Throws `tooLarge` with
    /// `excess` as its text when there are more than `bytesMax`.
    func copy(_ name: String, to file: FileWriter, bytesMax: Int64, excess: String) throws(ArchiveError) -> Int64 {
        var written: Int64 = 0
        while true {
            let count = buffer.withUnsafeMutableBytes { archive_read_data(raw, $0.baseAddress, $0.count) }
            if count == 0 { return written }
            guard count > 0 else { throw malformed(" in \"\(name)\"") }
            written += Int64(count)
            guard written <= bytesMax else { throw ArchiveError(.tooLarge, excess) }
            do throws(SystemError) { try file.write(buffer, count: count) } catch {
                throw ArchiveError(.failed, "a file cannot be written: \(error.reason)")
            }
        }
    }

    private func malformed(_ place: String) -> ArchiveError {
        let reason = archive_error_string(raw).map { String(cString: $0) } ?? "it cannot be read"
        return ArchiveError(.malformed, "the archive is damaged\(place): \(reason)")
    }
}
