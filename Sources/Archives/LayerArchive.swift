// Unpacking a layer of a container image (OCI image specification, "Image Layer Filesystem Changeset"): a tar of what was
// added or changed, in which files named `.wh.NAME` stand for what was removed. It becomes a folder that the kernel's
// overlay file system takes as one of its layers, where a removal is a character device 0:0 and a folder that hides what
// is below it has an attribute.
//
// Every path is looked up with the layer's folder as its root, so that a link in the layer cannot lead out of it.

import Bytes
import CArchive
import CLinux
import Files
import Glibc

package enum LayerArchive {
    /// Bounds of one layer.
    package static var limits: ArchiveLimits {
        var limits = ArchiveLimits()
        limits.entryCountMax = 1_000_000
        limits.bytesMax = 64 << 30
        limits.nameBytesMax = 4095
        limits.depthMax = 128
        return limits
    }

    /// Unpacks the tar at `path` (plain, gzip or Zstandard) into `folder`, which is made and must not exist. Owners, modes,
    /// times and file capabilities are kept; devices are left out, since every container gets a /dev of its own. Removes
    /// the folder again when something fails. Needs root. Blocks. Throws `ArchiveError`.
    @discardableResult
    package static func extract(
        _ path: String, to folder: String, limits: ArchiveLimits = LayerArchive.limits
    ) throws(ArchiveError) -> ArchiveSummary {
        guard mkdir(folder, 0o755) == 0 else { throw ArchiveError(.failed, "the folder to unpack into cannot be made") }
        do throws(ArchiveError) {
            let extraction = try LayerExtraction(ArchiveReader(path, .tar), folder, limits)
            return try extraction.run()
        } catch {
            FileTools.removeTree(folder)
            throw error
        }
    }
}

private final class LayerExtraction {
    private let reader: ArchiveReader
    private let limits: ArchiveLimits
    private let root: Int32
    private var summary = ArchiveSummary()

    init(_ reader: ArchiveReader, _ folder: String, _ limits: ArchiveLimits) throws(ArchiveError) {
        self.reader = reader
        self.limits = limits
        root = Glibc.open(folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC)
        guard root >= 0 else { throw ArchiveError(.failed, "the folder to unpack into cannot be opened") }
    }

    deinit { close(root) }

    func run() throws(ArchiveError) -> ArchiveSummary {
        var entryCount = 0
        while let entry = try reader.next() {
            entryCount += 1
            guard entryCount <= limits.entryCountMax else {
                throw ArchiveError(.tooLarge, "it has more than \(limits.entryCountMax) entries")
            }
            guard let text = archive_entry_pathname(entry) ?? archive_entry_pathname_utf8(entry) else {
                throw ArchiveError(.malformed, "an entry has no name")
            }
            let path = try LayerPath(text, limits)
            guard let name = path.name else {
                // The layer's own root: only what it says about itself counts.
                try set(entry, of: ".", in: root, isLink: false)
                continue
            }
            let parent = try open(path.parents)
            defer { close(parent) }
            if name == ".wh..wh..opq" {
                try hideBelow(parent)
            } else if name.starts(withBytesOf: ".wh.") {
                try markRemoved(String(name.dropping(bytesOf: ".wh.")), in: parent, path)
            } else {
                try make(entry, name, in: parent, path)
            }
        }
        return summary
    }

    /// Opens a folder of the layer, made where it is missing.
    private func open(_ components: ArraySlice<String>) throws(ArchiveError) -> Int32 {
        let whole = slipway_open_in_root(
            root, components.isEmpty ? "." : components.joined(separator: "/"), O_RDONLY | O_DIRECTORY | O_CLOEXEC, 0)
        if whole >= 0 { return whole }
        guard errno == ENOENT || errno == ENOTDIR, let last = components.last else {
            throw ArchiveError(
                .malformed, "\"\(Self.shown(components))\" is no folder: \(String(cString: strerror(errno)))")
        }
        let parent = try open(components.dropLast())
        defer { close(parent) }
        return try makeFolder(last, in: parent, components)
    }

    /// Makes and opens a folder that may be there. In the place of a removal it hides what the layers below have.
    private func makeFolder(
        _ name: String, in parent: Int32, _ components: some Sequence<String>
    ) throws(ArchiveError) -> Int32 {
        let wasRemoved = isRemoval(name, in: parent)
        if wasRemoved { unlinkat(parent, name, 0) }
        guard mkdirat(parent, name, 0o755) == 0 || errno == EEXIST else { throw failure("a folder cannot be made") }
        let made = openat(parent, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC)
        guard made >= 0 else { throw ArchiveError(.malformed, "\"\(Self.shown(components))\" is no folder") }
        if wasRemoved { try hideBelow(made) }
        return made
    }

    private func isRemoval(_ name: String, in parent: Int32) -> Bool {
        var status = stat()
        return fstatat(parent, name, &status, AT_SYMLINK_NOFOLLOW) == 0 && status.st_mode & S_IFMT == S_IFCHR
    }

    private func hideBelow(_ folder: Int32) throws(ArchiveError) {
        guard setxattr("/proc/self/fd/\(folder)", "trusted.overlay.opaque", "y", 1, 0) == 0 else {
            throw failure("a folder cannot be marked")
        }
    }

    private func markRemoved(_ name: String, in parent: Int32, _ path: LayerPath) throws(ArchiveError) {
        guard !name.isEmpty, name != ".", name != ".." else {
            throw ArchiveError(.malformed, "\"\(path.shown)\" names nothing to remove")
        }
        if mknodat(parent, name, S_IFCHR, 0) == 0 { return }
        guard errno == EEXIST else { throw failure("a removal cannot be marked") }
        // What the layer itself adds under that name has taken the place of what was removed.
        let folder = openat(parent, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC)
        guard folder >= 0 else { return }
        defer { close(folder) }
        try hideBelow(folder)
    }

    private func make(
        _ entry: OpaquePointer, _ name: String, in parent: Int32, _ path: LayerPath
    ) throws(ArchiveError) {
        if let target = archive_entry_hardlink(entry) ?? archive_entry_hardlink_utf8(entry) {
            return try link(LayerPath(target, limits), name, in: parent, path)
        }
        switch archive_entry_filetype(entry) & S_IFMT {
        case S_IFDIR:
            var status = stat()
            if fstatat(parent, name, &status, AT_SYMLINK_NOFOLLOW) == 0, status.st_mode & S_IFMT != S_IFDIR,
                !isRemoval(name, in: parent)
            {
                try clear(name, in: parent, path)
            }
            close(try makeFolder(name, in: parent, path.parents + [name]))
        case S_IFLNK:
            guard let target = archive_entry_symlink(entry) ?? archive_entry_symlink_utf8(entry), strlen(target) < 4096
            else {
                throw ArchiveError(.malformed, "the link \"\(path.shown)\" leads nowhere")
            }
            try clear(name, in: parent, path)
            guard symlinkat(target, parent, name) == 0 else { throw failure("a link cannot be made") }
            return try set(entry, of: name, in: parent, isLink: true)
        case S_IFIFO:
            try clear(name, in: parent, path)
            guard mkfifoat(parent, name, 0o600) == 0 else { throw failure("a pipe cannot be made") }
        case S_IFCHR, S_IFBLK, S_IFSOCK:
            return
        default:
            try clear(name, in: parent, path)
            let file = openat(parent, name, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0o600)
            guard file >= 0 else { throw failure("a file cannot be made") }
            summary.bytes += try reader.copy(
                path.shown, to: FileWriter(file), bytesMax: limits.bytesMax - summary.bytes,
                excess: "it unpacks to more than \(limits.bytesMax) bytes")
            summary.fileCount += 1
        }
        try set(entry, of: name, in: parent, isLink: false)
    }

    private func link(
        _ target: LayerPath, _ name: String, in parent: Int32, _ path: LayerPath
    ) throws(ArchiveError) {
        guard let targetName = target.name else {
            throw ArchiveError(.malformed, "the link \"\(path.shown)\" leads nowhere")
        }
        let folder = try open(target.parents)
        defer { close(folder) }
        try clear(name, in: parent, path)
        guard linkat(folder, targetName, parent, name, 0) == 0 else {
            throw ArchiveError(
                .malformed, "\"\(path.shown)\" is a link to \"\(target.shown)\", which the layer does not hold")
        }
    }

    /// Makes room for an entry that stands in the archive a second time, or after its own removal.
    private func clear(_ name: String, in parent: Int32, _ path: LayerPath) throws(ArchiveError) {
        if unlinkat(parent, name, 0) == 0 || errno == ENOENT { return }
        guard unlinkat(parent, name, AT_REMOVEDIR) == 0 else {
            throw ArchiveError(.malformed, "\"\(path.shown)\" is both a folder and a file")
        }
    }

    /// Gives what was made its owner, mode, times and capabilities.
    private func set(
        _ entry: OpaquePointer, of name: String, in parent: Int32, isLink: Bool
    ) throws(ArchiveError) {
        let user = uid_t(truncatingIfNeeded: archive_entry_uid(entry))
        let group = gid_t(truncatingIfNeeded: archive_entry_gid(entry))
        guard fchownat(parent, name, user, group, AT_SYMLINK_NOFOLLOW) == 0 else {
            throw failure("an owner cannot be set")
        }
        if !isLink {
            // After the owner, which takes set-uid bits away.
            guard fchmodat(parent, name, archive_entry_perm(entry) & 0o7777, 0) == 0 else {
                throw failure("a mode cannot be set")
            }
            setAttributes(entry, "/proc/self/fd/\(parent)/\(name)")
        }
        var times = [timespec(), timespec()]
        times[0].tv_nsec = omittedTime
        times[1].tv_sec = archive_entry_mtime(entry)
        times[1].tv_nsec = archive_entry_mtime_nsec(entry)
        utimensat(parent, name, times, AT_SYMLINK_NOFOLLOW)
    }

    /// File capabilities, such as ping's, and attributes of users. Others are the host's own, the overlay's among them.
    private func setAttributes(_ entry: OpaquePointer, _ path: String) {
        archive_entry_xattr_reset(entry)
        var name: UnsafePointer<CChar>?
        var value: UnsafeRawPointer?
        var count = 0
        while archive_entry_xattr_next(entry, &name, &value, &count) == ARCHIVE_OK {
            guard let name, let value else { continue }
            let text = String(cString: name)
            if text == "security.capability" || text.hasPrefix("user.") { lsetxattr(path, text, value, count, 0) }
        }
    }

    private func failure(_ what: String) -> ArchiveError {
        ArchiveError(.failed, "\(what): \(String(cString: strerror(errno)))")
    }

    static func shown(_ components: some Sequence<String>) -> String {
        let text = components.joined(separator: "/")
        return String(String.UnicodeScalarView(text.unicodeScalars.prefix(200).map { $0.value < 0x20 ? "?" : $0 }))
    }
}

/// `UTIME_OMIT`, which Swift's view of Glibc lacks: the time is left as it is.
private let omittedTime = (1 << 30) - 2

/// A name in a layer as components, without `.`, and with no `..`.
private struct LayerPath {
    private let components: [String]

    /// Nil for the layer's root.
    var name: String? { components.last }
    var parents: ArraySlice<String> { components.dropLast() }
    var shown: String { LayerExtraction.shown(components) }

    init(_ text: UnsafePointer<CChar>, _ limits: ArchiveLimits) throws(ArchiveError) {
        guard strlen(text) <= limits.nameBytesMax else {
            throw ArchiveError(.tooLarge, "an entry's name is longer than \(limits.nameBytesMax) bytes")
        }
        guard let whole = String(validatingCString: text) else {
            throw ArchiveError(.unsupported, "the name of an entry is not UTF-8")
        }
        components = whole.pieces(by: "/").filter { $0 != "." }.map(String.init)
        guard !components.contains("..") else {
            throw ArchiveError(.unsafe, "entry \"\(LayerExtraction.shown(components))\" would leave the layer")
        }
        guard components.count <= limits.depthMax else {
            throw ArchiveError(.tooLarge, "an entry is nested deeper than \(limits.depthMax) folders")
        }
    }
}
