import Foundation

/// The kept inputs of one parser: files in Corpus/NAME beside this one.
struct Corpus {
    private let folder: URL
    /// The input under way, left behind by a run that crashed.
    let runningFile: URL

    init(_ name: String) {
        let here = URL(fileURLWithPath: #filePath).deletingLastPathComponent()
        folder = here.appendingPathComponent("Corpus/\(name)")
        let build = here.appendingPathComponent("../../.build/fuzzing").standardizedFileURL
        try? FileManager.default.createDirectory(at: build, withIntermediateDirectories: true)
        runningFile = build.appendingPathComponent("\(name).running")
    }

    var entries: [[UInt8]] {
        let files = (try? FileManager.default.contentsOfDirectory(at: folder, includingPropertiesForKeys: nil)) ?? []
        return files.sorted { $0.path < $1.path }.compactMap { try? Array(Data(contentsOf: $0)) }
    }

    /// Adds an input, named by its contents.
    func keep(_ input: [UInt8]) {
        let name = input.reduce(into: UInt64(0xcbf2_9ce4_8422_2325)) { $0 = ($0 ^ UInt64($1)) &* 0x100_0000_01b3 }
        try? FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
        try? Data(input).write(to: folder.appendingPathComponent("failed-" + String(name, radix: 16)))
    }

    func adoptInputOfACrash() {
        guard let input = RunningInput.left(at: runningFile) else { return }
        print("the last run of this parser ended within an input; it is kept in \(folder.lastPathComponent)")
        keep(input)
    }
}

/// The input under way, in a mapped file: it costs a copy for each input, and outlives a crash of the process.
final class RunningInput {
    private static let bytesMax = 1 << 20
    private let file: URL
    private let map: UnsafeMutableRawPointer

    init(_ file: URL) throws {
        self.file = file
        let descriptor = open(file.path, O_RDWR | O_CREAT | O_TRUNC, 0o644)
        defer { close(descriptor) }
        guard descriptor >= 0, ftruncate(descriptor, off_t(Self.bytesMax)) == 0,
            let map = mmap(nil, Self.bytesMax, PROT_READ | PROT_WRITE, MAP_SHARED, descriptor, 0), map != MAP_FAILED
        else { throw POSIXError(.EIO) }
        self.map = map
    }

    deinit {
        munmap(map, Self.bytesMax)
        unlink(file.path)
    }

    /// The length comes first, plus one, so that an empty input differs from none.
    func set(_ input: [UInt8]) {
        let count = min(input.count, Self.bytesMax - 8)
        map.storeBytes(of: UInt64(count + 1), as: UInt64.self)
        input.withUnsafeBytes { (map + 8).copyMemory(from: $0.baseAddress ?? UnsafeRawPointer(map), byteCount: count) }
    }

    func end() { map.storeBytes(of: 0, as: UInt64.self) }

    static func left(at file: URL) -> [UInt8]? {
        guard let bytes = try? Array(Data(contentsOf: file)), bytes.count > 8 else { return nil }
        let length = bytes.prefix(8).reversed().reduce(UInt64(0)) { $0 << 8 | UInt64($1) }
        guard length > 0, length <= UInt64(bytes.count - 7) else { return nil }
        return Array(bytes[8..<8 + Int(length) - 1])
    }
}
