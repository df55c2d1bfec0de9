import Glibc
import HTTP
import HTTPClient
import ObjectClient

/// Sends one object: in one request up to 64 MiB, else in parts of 16 MiB or more, four at once.
struct Upload: Sendable {
    private let place: RemotePlace
    private let fields: HTTPFields
    /// Told the bytes that have arrived.
    private let progress: @Sendable (Int64) -> Void

    private static let singleBytesMax: Int64 = 64 << 20
    private static let partBytes: Int64 = 16 << 20
    private static let partCountMax: Int64 = 10_000

    /// - Parameter metadata: user metadata of the object to be, by whole field names.
    init(
        _ place: RemotePlace, contentType: String, metadata: HTTPFields = HTTPFields(),
        progress: @escaping @Sendable (Int64) -> Void = { _ in }
    ) {
        self.place = place
        var fields = metadata
        fields.append("Content-Type", contentType)
        self.fields = fields
        self.progress = progress
    }

    /// Sends a file; throws when it grows or shrinks meanwhile.
    func send(file path: String) async throws {
        let size = LocalFiles.size(path)
        if size <= Self.singleBytesMax {
            try await place.client.put(
                bucket: place.bucket, key: place.key, body: try Self.region(path, 0..<size), fields: fields)
            return progress(size)
        }
        let partBytes = max(Self.partBytes, (size + Self.partCountMax - 1) / Self.partCountMax)
        let ranges = stride(from: Int64(0), to: size, by: Int64.Stride(partBytes)).map {
            $0..<min(size, $0 + partBytes)
        }
        try await inParts { upload in
            try await withThrowingTaskGroup(of: UploadedPart.self) { group in
                var parts: [UploadedPart] = []
                for (index, range) in ranges.enumerated() {
                    if index >= Client.parallelCount, let part = try await group.next() { parts.append(part) }
                    group.addTask { try await sendPart(upload, index + 1, try Self.region(path, range), range.count) }
                }
                for try await part in group { parts.append(part) }
                return parts
            }
        }
    }

    /// Sends what comes on standard input; returns its size.
    func send(standardInput: Void) async throws -> Int64 {
        let first = Self.readInput(Int(Self.partBytes))
        guard first.count == Int(Self.partBytes) else {
            try await place.client.put(bucket: place.bucket, key: place.key, body: .bytes(first), fields: fields)
            return Int64(first.count)
        }
        var total: Int64 = 0
        try await inParts { upload in
            var parts: [UploadedPart] = []
            var block = first
            while !block.isEmpty {
                parts.append(try await sendPart(upload, parts.count + 1, .bytes(block), block.count))
                total += Int64(block.count)
                block = Self.readInput(Int(Self.partBytes))
            }
            return parts
        }
        return total
    }

    /// Sends an object of another store, its bytes passing through.
    func send(_ response: ClientResponse, size: Int64) async throws {
        try await place.client.put(
            bucket: place.bucket, key: place.key, body: .stream(response.body), length: Int(size), fields: fields)
        progress(size)
    }

    private func sendPart(
        _ upload: String, _ number: Int, _ body: ClientRequestBody, _ count: Int
    ) async throws -> UploadedPart {
        let part = try await place.client.uploadPart(
            bucket: place.bucket, key: place.key, upload: upload, number: number, body: body)
        progress(Int64(count))
        return part
    }

    /// A multipart upload around `send`; an upload that fails leaves no parts behind.
    private func inParts(_ send: (String) async throws -> [UploadedPart]) async throws {
        let upload = try await place.client.beginUpload(bucket: place.bucket, key: place.key, fields: fields)
        do {
            let parts = try await send(upload)
            try await place.client.completeUpload(bucket: place.bucket, key: place.key, upload: upload, parts: parts)
        } catch {
            try? await place.client.abortUpload(bucket: place.bucket, key: place.key, upload: upload)
            throw error
        }
    }

    private static func region(_ path: String, _ range: Range<Int64>) throws -> ClientRequestBody {
        let descriptor = open(path, O_RDONLY | O_CLOEXEC)
        guard descriptor >= 0 else { throw LocalFiles.failure("read", path) }
        return .file(FileRegion(descriptor: descriptor, range: range) { close($0) })
    }

    private static func readInput(_ countMax: Int) -> [UInt8] {
        [UInt8](unsafeUninitializedCapacity: countMax) { space, count in
            while count < countMax {
                let got = read(STDIN_FILENO, space.baseAddress.map { $0 + count }, countMax - count)
                if got < 0, errno == EINTR { continue }
                guard got > 0 else { break }
                count += got
            }
        }
    }
}

/// Media types by a name's ending, for what lies in model stores.
enum ContentTypes {
    private static let known = [
        "json": "application/json", "txt": "text/plain", "log": "text/plain", "md": "text/markdown", "csv": "text/csv",
        "html": "text/html", "css": "text/css", "js": "text/javascript", "xml": "text/xml", "yaml": "application/yaml",
        "yml": "application/yaml", "pbtxt": "text/plain", "png": "image/png", "jpg": "image/jpeg", "jpeg": "image/jpeg",
        "gif": "image/gif", "svg": "image/svg+xml", "pdf": "application/pdf", "zip": "application/zip",
        "gz": "application/gzip", "tar": "application/x-tar", "ipynb": "application/json", "py": "text/x-python",
    ]

    static func of(_ name: String) -> String {
        guard let dot = name.lastIndex(of: ".") else { return "application/octet-stream" }
        return known[name[name.index(after: dot)...].lowercased()] ?? "application/octet-stream"
    }
}
