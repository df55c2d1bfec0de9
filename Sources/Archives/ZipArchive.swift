// Unpacking a zip that a person made. libarchive reads it; the paths are ours: each name is checked, the folder is new and
// private, files are made with O_EXCL, which follows no link, and links are refused, so nothing can be written elsewhere.

import Bytes
import CArchive
import Files
import Glibc

package enum ZipArchive {
    /// Unpacks the zip at `path` into `folder`, which is made and must not exist. Removes it again when something fails.
    /// Blocks. Throws `ArchiveError`.
    @discardableResult
    package static func extract(
        _ path: String, to folder: String, limits: ArchiveLimits = ArchiveLimits()
    ) throws(ArchiveError) -> ArchiveSummary {
        guard mkdir(folder, 0o700) == 0 else { throw ArchiveError(.failed, "the folder to unpack into cannot be made") }
        do throws(ArchiveError) {
            return try ZipExtraction(reader: try ArchiveReader(path, .zip)).extract(to: folder, limits)
        } catch {
            FileTools.removeTree(folder)
            throw error
        }
    }
}

/// The entries of one zip on their way into a folder.
private struct ZipExtraction {
    let reader: ArchiveReader

    func extract(to folder: String, _ limits: ArchiveLimits) throws(ArchiveError) -> ArchiveSummary {
        var summary = ArchiveSummary()
        var entryCount = 0
        var madeFolders: Set<ExactText> = []
        while let entry = try reader.next() {
            entryCount += 1
            guard entryCount <= limits.entryCountMax else {
                throw ArchiveError(.tooLarge, "it has more than \(limits.entryCountMax) entries")
            }
            let name = try EntryName(Self.nameBytes(entry), limits: limits)
            try Self.refuseLinks(entry, name)
            let isFolder = archive_entry_filetype(entry) & S_IFMT == S_IFDIR
            if name.components.isEmpty {
                if isFolder { continue }
                throw ArchiveError(.malformed, "an entry has no name")
            }
            let parents = isFolder ? name.components : Array(name.components.dropLast())
            try Self.makeFolders(parents, in: folder, &madeFolders)
            guard !isFolder else { continue }
            guard archive_entry_is_encrypted(entry) == 0 else {
                throw ArchiveError(.unsupported, "entry \"\(name.path)\" is encrypted; pack it without a password")
            }
            let left = limits.bytesMax - summary.bytes
            summary.bytes += try write(name, to: "\(folder)/\(name.path)", bytesMax: left, limits)
            summary.fileCount += 1
        }
        return summary
    }

    private static func nameBytes(_ entry: OpaquePointer) throws(ArchiveError) -> [UInt8] {
        // Names that are flagged as UTF-8 come as such whatever the locale; others as the bytes that stand there.
        if let text = archive_entry_pathname_utf8(entry) ?? archive_entry_pathname(entry) {
            return Array(UnsafeRawBufferPointer(start: text, count: strlen(text)))
        }
        throw ArchiveError(.malformed, "the name of an entry is not UTF-8; pack it again with UTF-8 names")
    }

    private static func refuseLinks(_ entry: OpaquePointer, _ name: EntryName) throws(ArchiveError) {
        let kind = archive_entry_filetype(entry) & S_IFMT
        // Some tools write no kind at all for a file.
        guard kind == S_IFREG || kind == S_IFDIR || kind == 0, archive_entry_hardlink(entry) == nil else {
            let what = kind == S_IFLNK ? "a symbolic link" : "neither a file nor a folder"
            throw ArchiveError(.unsafe, "entry \"\(name.path)\" is \(what); a pack holds files and folders only")
        }
    }

    private static func makeFolders(
        _ components: [String], in folder: String, _ made: inout Set<ExactText>
    ) throws(ArchiveError) {
        var path = folder
        for component in components {
            path += "/" + component
            if made.contains(ExactText(path)) { continue }
            guard mkdir(path, 0o700) == 0 else {
                if errno == EEXIST { throw ArchiveError(.malformed, "\"\(component)\" is both a file and a folder") }
                throw ArchiveError(.failed, "a folder cannot be made: \(String(cString: strerror(errno)))")
            }
            made.insert(ExactText(path))
        }
    }

    /// Writes the present entry's bytes and returns how many there were.
    private func write(
        _ name: EntryName, to path: String, bytesMax: Int64, _ limits: ArchiveLimits
    ) throws(ArchiveError) -> Int64 {
        let file: FileWriter
        do throws(SystemError) { file = try FileWriter(path, mode: 0o600, isNew: true) } catch {
            if error.code == EEXIST { throw ArchiveError(.malformed, "it holds \"\(name.path)\" twice") }
            throw ArchiveError(.failed, "a file cannot be made: \(error.reason)")
        }
        return try reader.copy(
            name.path, to: file, bytesMax: bytesMax, excess: "it unpacks to more than \(limits.bytesMax) bytes")
    }
}
