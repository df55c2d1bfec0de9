import Bytes
import Formats
import HTTP
import HTTPClient
import ObjectClient

/// One thing to copy.
struct CopyItem: Sendable {
    let source: Place
    /// As a person writes it.
    let sourceText: String
    let target: Place
    let targetText: String
    let size: Int64
}

extension Client {
    /// `mc cp [-r] SOURCE... TARGET`
    func copy(_ arguments: [String]) async throws {
        let options = try Options(arguments, of: "cp", switches: ["recursive": "r"])
        let words = try options.words(2...1000, usage: "cp [--recursive] SOURCE... TARGET")
        let target = words[words.count - 1]
        var items: [CopyItem] = []
        for source in words.dropLast() {
            do {
                items += try await self.items(
                    source, target, isRecursive: options.has("recursive"), areMany: words.count > 2)
            } catch {
                throw MCError.wrap(error, "Unable to copy `\(source)` to `\(target)`")
            }
        }
        try await transfer(items)
    }

    /// `mc mirror [--overwrite] [--remove] SOURCE TARGET`
    func mirror(_ arguments: [String]) async throws {
        let options = try Options(arguments, of: "mirror", switches: ["overwrite": nil, "remove": nil])
        var words = try options.words(2...2, usage: "mirror [--overwrite] [--remove] SOURCE TARGET")
        // A mirror is always of the contents.
        words = words.map { $0.hasSuffix("/") ? $0 : $0 + "/" }
        let wanted = try await items(words[0], words[1], isRecursive: true, areMany: false)
        let there = try await contents(of: try place(words[1]))
        var changed: [CopyItem] = []
        for item in wanted {
            let present = there[ExactText(item.targetText)]
            if present?.size == item.size { continue }
            guard present == nil || options.has("overwrite") else {
                throw MCError(.usage, "`\(item.targetText)` is there and differs. Give `--overwrite` to replace it.")
            }
            changed.append(item)
        }
        try await transfer(changed)
        guard options.has("remove") else { return }
        let names = Set(wanted.map { ExactText($0.targetText) })
        for (name, extra) in there.sorted(by: { $0.key < $1.key }) where !names.contains(name) {
            switch extra.place {
            case .local(let path): try LocalFiles.remove(path)
            case .remote(let extra): try await extra.client.delete(bucket: extra.bucket, key: extra.key)
            }
            screen.note("Removed `\(name.text)`.", ["key": .string(name.text)])
        }
    }

    // MARK: What to copy where

    private func items(_ source: String, _ target: String, isRecursive: Bool, areMany: Bool) async throws -> [CopyItem]
    {
        switch try place(source) {
        case .local(let path):
            switch LocalFiles.kind(path) {
            case .missing:
                throw MCError(
                    .file,
                    "Unable to find `\(path)`. No such file or directory, and `\(path.prefix { $0 != "/" })` is not an alias."
                )
            case .file:
                return [try await item(.local(path), path, target, size: LocalFiles.size(path), areMany: areMany)]
            case .folder:
                try requireRecursive(isRecursive, path)
                let below = try place(target)
                return try LocalFiles.walk(path).map { file in
                    let name = CopyPaths.suffix(of: file.path, source: source)
                    return CopyItem(
                        source: .local(file.path), sourceText: file.path, target: below.joined(name),
                        targetText: CopyPaths.join(target, name), size: file.size)
                }
            }
        case .remote(let found):
            try found.requireBucket(for: "Unable to copy")
            do { return try await remoteItems(found, source, target, isRecursive: isRecursive, areMany: areMany) } catch
            {
                throw MCError.wrap(error, "Unable to copy `\(found.text)`")
            }
        }
    }

    private func remoteItems(
        _ found: RemotePlace, _ source: String, _ target: String, isRecursive: Bool, areMany: Bool
    ) async throws -> [CopyItem] {
        if !found.isFolderByName, let fields = try await found.client.head(bucket: found.bucket, key: found.key) {
            let size = fields["Content-Length"].flatMap { Int64($0) } ?? 0
            return [try await item(.remote(found), found.text, target, size: size, areMany: areMany)]
        }
        let objects = try await everything(below: found)
        guard !objects.isEmpty || found.key.isEmpty else {
            throw ObjectClientError(code: "NoSuchKey", message: "", status: 404)
        }
        try requireRecursive(isRecursive, found.text)
        // `source` names the same as `found.text`, with the slash that the person gave it.
        let below = try place(target)
        return try objects.filter { !$0.key.ends(withBytesOf: "/") }.map { object in
            let place = found.with(key: object.key)
            let name = CopyPaths.suffix(of: place.text, source: source)
            guard !name.pieces(by: "/").contains("..") else {
                throw MCError(.store, "Unable to copy `\(place.text)`. Its key would leave the target folder.")
            }
            return CopyItem(
                source: .remote(place), sourceText: place.text, target: below.joined(name),
                targetText: CopyPaths.join(target, name), size: object.size)
        }
    }

    /// One file or object: into the target when that is a folder, else as the target.
    private func item(_ source: Place, _ text: String, _ target: String, size: Int64, areMany: Bool) async throws
        -> CopyItem
    {
        var path = target
        switch try place(target) {
        case .local(let folder):
            if folder.hasSuffix("/") || LocalFiles.kind(folder) == .folder || areMany {
                path = CopyPaths.join(target, CopyPaths.lastName(text))
            }
        case .remote(let found):
            try found.requireBucket(for: "Unable to copy to")
            var isFolder = found.isFolderByName || areMany
            if !isFolder { isFolder = try await folderPrefix(of: found) != nil }
            if isFolder { path = CopyPaths.join(target, CopyPaths.lastName(text)) }
        }
        return CopyItem(source: source, sourceText: text, target: try place(path), targetText: path, size: size)
    }

    private func requireRecursive(_ isRecursive: Bool, _ text: String) throws {
        guard isRecursive else { throw MCError(.usage, "`\(text)` is a folder. Copying it needs `--recursive`.") }
    }

    /// What lies below a place, by the names a person would write.
    private func contents(of place: Place) async throws -> [ExactText: (place: Place, size: Int64)] {
        switch place {
        case .local(let path):
            guard LocalFiles.kind(path) == .folder else { return [:] }
            let files = try LocalFiles.walk(path).map { (ExactText($0.path), (Place.local($0.path), $0.size)) }
            return Dictionary(files) { first, _ in first }
        case .remote(let found):
            let objects = try await everything(below: found).map { object in
                let place = found.with(key: object.key)
                return (ExactText(place.text), (Place.remote(place), object.size))
            }
            return Dictionary(objects) { first, _ in first }
        }
    }

    // MARK: Moving bytes

    private func transfer(_ items: [CopyItem]) async throws {
        let total = items.reduce(0) { $0 + $1.size }
        let progress = Progress(screen, total: total)
        try await inParallel(items) { item in
            do { try await move(item, progress) } catch {
                progress.clear()
                throw MCError.wrap(error, "Failed to copy `\(item.sourceText)` to `\(item.targetText)`")
            }
            progress.clear()
            screen.note(
                "`\(item.sourceText)` -> `\(item.targetText)`",
                [
                    "source": .string(item.sourceText), "target": .string(item.targetText), "size": .int(item.size),
                    "totalCount": .int(Int64(items.count)), "totalSize": .int(total),
                ])
        }
        guard !items.isEmpty, !screen.isJSON else { return }
        let speed = Sizes.text(Int64(Double(progress.done) / progress.elapsedSeconds))
        screen.note("Total: \(items.count) objects, \(Sizes.text(total)), \(speed)/s", [:])
    }

    private func move(_ item: CopyItem, _ progress: Progress) async throws {
        switch (item.source, item.target) {
        case (.local(let path), .remote(let target)):
            try target.requireBucket(for: "Unable to copy to")
            try await Upload(target, contentType: ContentTypes.of(path)) { progress.add($0) }.send(file: path)
        case (.remote(let source), .local(let path)): try await download(source, path, item.size, progress)
        case (.remote(let source), .remote(let target)):
            try target.requireBucket(for: "Unable to copy to")
            try await copyBetween(source, target, item.size, progress)
        case (.local, .local):
            throw MCError(
                .usage, "Neither place is in a store: `\(item.sourceText)`, `\(item.targetText)`. That is for cp.")
        }
    }

    private func download(_ source: RemotePlace, _ path: String, _ size: Int64, _ progress: Progress) async throws {
        if let folder = path.divided(atLast: "/")?.before, !folder.isEmpty { try LocalFiles.makeFolder(String(folder)) }
        let writer = try LocalFileWriter(path)
        var received: Int64 = 0
        try await source.client.read(bucket: source.bucket, key: source.key) { piece in
            try writer.write(piece)
            received += Int64(piece.count)
            progress.add(Int64(piece.count))
        }
        guard received == size else {
            throw MCError(.store, "It changed while it was read: \(received) bytes instead of \(size).")
        }
        try writer.finish()
    }

    private func copyBetween(_ source: RemotePlace, _ target: RemotePlace, _ size: Int64, _ progress: Progress)
        async throws
    {
        let isOneStore = source.client.endpoint.url == target.client.endpoint.url
        if isOneStore, size <= 5 << 30 {
            try await source.client.copy(
                fromBucket: source.bucket, fromKey: source.key, toBucket: target.bucket, toKey: target.key)
            return progress.add(size)
        }
        let response = try await source.client.get(bucket: source.bucket, key: source.key)
        let type = response.fields["Content-Type"] ?? ContentTypes.of(source.key)
        var metadata = HTTPFields()
        for (name, value) in response.fields.all where name.lowercased().hasPrefix("x-amz-meta-") {
            metadata.append(name, value)
        }
        let upload = Upload(target, contentType: type, metadata: metadata) { progress.add($0) }
        try await upload.send(response, size: size)
    }
}
