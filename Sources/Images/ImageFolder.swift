// Images on disk. `layers/NAME` is a layer unpacked, NAME being the first half of its digest: the kernel takes the names of
// all layers in one page. `sizes/NAME` says how many bytes it has, `images/DIGEST` what belongs to an image, and
// `names/HASH` which image a name stood for when it was pulled last. What is being made lies in `incoming/`.

import Archives
import Bytes
import CLinux
import Digests
import Files
import Formats
import Glibc
import OCI

/// Reads and writes the folder of images. All of it blocks.
struct ImageFolder: Sendable {
    let root: String

    var layers: String { root + "/layers" }
    private var incoming: String { root + "/incoming" }

    /// Makes the folders. What a crash left half made goes.
    func prepare() throws {
        FileTools.removeTree(incoming)
        for name in ["layers", "sizes", "images", "names", "incoming"] {
            try FileTools.makeFolder("\(root)/\(name)", mode: 0o711)
        }
    }

    static func layerName(_ digest: Digest) -> String { String(digest.hexadecimal.prefix(32)) }

    // MARK: Images

    func image(_ digest: Digest) -> PulledImage? {
        let path = "\(root)/images/\(digest.hexadecimal)"
        guard let json = FileTools.read(path).flatMap({ try? JSON.parse($0) }),
            let names = json["layers"]?.arrayValue?.compactMap(\.stringValue), !names.isEmpty,
            names.allSatisfy({ FileTools.isFolder("\(layers)/\($0)") })
        else { return nil }
        // The time of its last use, for `prune`.
        utimensat(AT_FDCWD, path, nil, 0)
        return PulledImage(
            digest: digest, configuration: ImageConfiguration(json["config"] ?? [:]), layerFolder: layers,
            layers: names, user: ImageUser.Database(layerFolder: layers, layers: names))
    }

    func image(named reference: ImageReference) -> PulledImage? {
        if let digest = reference.digest { return image(digest) }
        return FileTools.read(namePath(reference)).flatMap { try? JSON.parse($0) }?["digest"]?.stringValue
            .flatMap { Digest($0) }.flatMap { image($0) }
    }

    /// Writes down what an image is made of; `names` topmost first.
    func add(_ digest: Digest, layers names: [String], _ configuration: ImageConfiguration) throws {
        let json: JSON = ["layers": .array(names.map { .string($0) }), "config": configuration.json]
        try FileTools.write("\(root)/images/\(digest.hexadecimal)", json.encoded)
    }

    func name(_ reference: ImageReference, _ digest: Digest) throws {
        let json: JSON = ["name": .string(reference.description), "digest": .string(digest.text)]
        try FileTools.write(namePath(reference), json.encoded)
    }

    private func namePath(_ reference: ImageReference) -> String {
        "\(root)/names/\(Hex.encode(SHA256.hash(Array(reference.description.utf8))))"
    }

    // MARK: Layers

    func hasLayer(_ name: String) -> Bool { FileTools.isFolder("\(layers)/\(name)") }

    /// Opens a file for a layer's archive.
    func openArchive() throws -> (path: String, file: FileWriter) {
        let path = "\(incoming)/\(Randomness.hexID())"
        return (path, try FileWriter(path, mode: 0o600, isNew: true))
    }

    /// Unpacks an archive of at most `bytesMax` bytes as the layer `name`, which appears whole or not at all. Throws
    /// `ArchiveError` or `SystemError`.
    func unpack(_ archive: String, as name: String, bytesMax: Int64) throws {
        let folder = archive + ".layer"
        var limits = LayerArchive.limits
        limits.bytesMax = min(limits.bytesMax, bytesMax)
        let summary = try LayerArchive.extract(archive, to: folder, limits: limits)
        let descriptor = open(folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC)
        guard descriptor >= 0 else { throw SystemError("open") }
        defer { close(descriptor) }
        // Before the name says that it is there: a layer of half-written files would be found after a power cut.
        guard slipway_syncfs(descriptor) == 0 else { throw SystemError("syncfs") }
        try FileTools.write("\(root)/sizes/\(name)", Array("\(summary.bytes)".utf8))
        try FileTools.move(folder, to: "\(layers)/\(name)")
    }

    // MARK: Space

    /// True when the disk keeps a reserve after `bytes` more: other roles write to it, too.
    func hasRoom(for bytes: Int64) throws -> Bool {
        var status = statvfs()
        guard statvfs(root, &status) == 0 else { throw SystemError("statvfs") }
        let free = Int64(clamping: UInt64(status.f_bavail) * UInt64(status.f_frsize))
        return free - bytes >= Self.reserveBytes
    }

    private static let reserveBytes: Int64 = 256 << 20

    /// Removes the images that were used least lately until the layers that are left have at most `bytesMax` bytes; those
    /// in `kept`, and those used in the last ten minutes, stay. Gives the bytes that went.
    func prune(bytesMax: Int64, kept: Set<Digest>) -> Int64 {
        struct Entry {
            let digest: Digest
            let layers: [String]
            let used: Int
        }
        var entries: [Entry] = []
        for name in FileTools.names(in: root + "/images") {
            var status = stat()
            guard let digest = Digest("sha256:" + name), stat("\(root)/images/\(name)", &status) == 0 else { continue }
            let json = FileTools.read("\(root)/images/\(name)").flatMap { try? JSON.parse($0) }
            entries.append(
                Entry(
                    digest: digest, layers: (json?["layers"]?.arrayValue ?? []).compactMap(\.stringValue),
                    used: status.st_mtim.tv_sec))
        }
        entries.sort { $0.used > $1.used }
        let sizes = Dictionary(uniqueKeysWithValues: FileTools.names(in: layers).map { ($0, size($0)) })
        var wanted: Set<String> = []
        var total: Int64 = 0
        let recently = time(nil) - 600
        for entry in entries {
            let more = entry.layers.filter { !wanted.contains($0) }
            let bytes = more.reduce(0) { $0 + (sizes[$1] ?? 0) }
            guard kept.contains(entry.digest) || entry.used > recently || total + bytes <= bytesMax else {
                unlink("\(root)/images/\(entry.digest.hexadecimal)")
                continue
            }
            wanted.formUnion(more)
            total += bytes
        }
        var freed: Int64 = 0
        for (name, bytes) in sizes where !wanted.contains(name) {
            FileTools.removeTree("\(layers)/\(name)")
            unlink("\(root)/sizes/\(name)")
            freed += bytes
        }
        return freed
    }

    private func size(_ layer: String) -> Int64 {
        FileTools.read("\(root)/sizes/\(layer)").flatMap { Int64(String(utf8: $0)) } ?? 0
    }
}
