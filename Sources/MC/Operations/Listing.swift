import Bytes
import Clock
import Formats
import Glibc
import ObjectClient

extension Client {
    /// `mc ls [-r] [ALIAS[/BUCKET[/PREFIX]]]...`
    func list(_ arguments: [String]) async throws {
        let options = try Options(arguments, of: "ls", switches: ["recursive": "r", "summarize": nil])
        for word in try options.words(1...100, usage: "ls [--recursive] TARGET...") {
            var total: (count: Int, bytes: Int64) = (0, 0)
            switch try place(word) {
            case .local(let path): try listLocal(path, options, &total)
            case .remote(let place) where place.bucket.isEmpty && options.has("recursive"):
                for bucket in try await buckets(of: place) {
                    let bucketPlace = place.with(bucketAndKey: bucket.name)
                    try await listObjects(bucketPlace, options, below: "\(bucket.name)/", &total)
                }
            case .remote(let place) where place.bucket.isEmpty:
                for bucket in try await buckets(of: place) {
                    entry(name: bucket.name + "/", size: 0, modified: bucket.created, etag: "", place: place)
                }
            case .remote(let place): try await listObjects(place, options, &total)
            }
            if options.has("summarize") {
                screen.say(
                    "\nTotal Size: \(Sizes.text(total.bytes))\nTotal Objects: \(total.count)",
                    ["totalObjects": .int(Int64(total.count)), "totalSize": .int(total.bytes)])
            }
        }
    }

    private func buckets(of place: RemotePlace) async throws -> [BucketSummary] {
        do { return try await place.client.listBuckets() } catch {
            throw MCError.wrap(error, "Unable to list folder `\(place.text)`")
        }
    }

    /// - Parameter below: stands before each name.
    private func listObjects(
        _ place: RemotePlace, _ options: Options, below: String = "", _ total: inout (count: Int, bytes: Int64)
    ) async throws {
        let isRecursive = options.has("recursive")
        var isAny = false
        // A name without a slash may be an object, or the folder of that name: the folder's contents are shown.
        do {
            let prefix = place.isFolderByName ? place.key : try await folderPrefix(of: place) ?? place.key
            let base = prefix.divided(atLast: "/").map { "\($0.before)/" } ?? ""
            try await pages(place.with(key: prefix), delimiter: isRecursive ? nil : "/") { page in
                for folder in page.commonPrefixes {
                    isAny = true
                    entry(name: String(folder.dropping(bytesOf: base)), size: 0, modified: .now, etag: "", place: place)
                }
                for object in page.objects where isRecursive || object.key != prefix || !prefix.hasSuffix("/") {
                    isAny = true
                    total.count += 1
                    total.bytes += object.size
                    entry(
                        name: "\(below)\(object.key.dropping(bytesOf: base))", size: object.size,
                        modified: object.modified, etag: object.etag, place: place)
                }
            }
        } catch {
            throw MCError.wrap(error, "Unable to list folder `\(place.text)`")
        }
        if !isAny, !place.key.isEmpty {
            throw MCError(.store, "Unable to list folder `\(place.text)`. Object does not exist.")
        }
    }

    private func listLocal(_ path: String, _ options: Options, _ total: inout (count: Int, bytes: Int64)) throws {
        guard LocalFiles.kind(path) != .missing else {
            throw MCError(
                .file,
                "Unable to list folder `\(path)`. No such file or directory, and `\(path.prefix { $0 != "/" })` is not an alias."
            )
        }
        let files =
            LocalFiles.kind(path) == .file
            ? [LocalFile(path: path, size: LocalFiles.size(path))] : try LocalFiles.walk(path)
        for file in files {
            total.count += 1
            total.bytes += file.size
            screen.say(
                "\(pad(Sizes.text(file.size), 10)) \(file.path)",
                ["type": "file", "key": .string(file.path), "size": .int(file.size)])
        }
    }

    private func entry(name: String, size: Int64, modified: WallTime?, etag: String, place: RemotePlace) {
        let isFolder = name.hasSuffix("/")
        let time = modified ?? .now
        let date = time.iso8601().replacing("T", with: " ").replacing("Z", with: " UTC")
        screen.say(
            "[\(date)] \(pad(Sizes.text(size), 10)) \(isFolder ? "" : "STANDARD ")\(name)",
            [
                "type": .string(isFolder ? "folder" : "file"), "lastModified": .string(time.iso8601(fractionDigits: 3)),
                "size": .int(size), "key": .string(name), "etag": .string(etag), "url": .string(place.text),
                "versionOrdinal": 1, "storageClass": .string(isFolder ? "" : "STANDARD"),
            ])
    }

    /// `mc tree [--files] [--depth N] ALIAS[/BUCKET[/PREFIX]]`
    func tree(_ arguments: [String]) async throws {
        let options = try Options(arguments, of: "tree", switches: ["files": "f"], valued: ["depth", "d"])
        let depthText = options.values["depth"] ?? options.values["d"]
        guard let depth = depthText.map({ Int($0) }) ?? .max, depth > 0 else {
            throw MCError(.usage, "`--depth` takes a number of levels from 1 on.")
        }
        for word in try options.words(1...100, usage: "tree [--files] [--depth N] TARGET...") {
            guard case .remote(let place) = try self.place(word) else { throw Self.notRemote(word) }
            if !screen.isJSON { screen.say(word, [:]) }
            do {
                if place.bucket.isEmpty {
                    let buckets = try await place.client.listBuckets()
                    for (index, bucket) in buckets.enumerated() {
                        let isLast = index == buckets.count - 1
                        branch(bucket.name, isFolder: true, indent: "", isLast: isLast)
                        if depth > 1 {
                            try await branches(
                                RemotePlace(alias: place.alias, client: place.client, bucket: bucket.name, key: ""),
                                indent: isLast ? "   " : "│  ", files: options.has("files"), depth: depth - 1)
                        }
                    }
                } else {
                    let key = place.isFolderByName ? place.key : place.key + "/"
                    try await branches(place.with(key: key), indent: "", files: options.has("files"), depth: depth)
                }
            } catch {
                throw MCError.wrap(error, "Unable to tree `\(place.text)`")
            }
        }
    }

    private func branches(_ place: RemotePlace, indent: String, files: Bool, depth: Int) async throws {
        var names: [String] = []
        try await pages(place, delimiter: "/") { page in
            names += page.commonPrefixes
            if files { names += page.objects.map(\.key).filter { $0 != place.key } }
        }
        names.sort()
        for (index, name) in names.enumerated() {
            let isLast = index == names.count - 1
            branch(CopyPaths.lastName(name), isFolder: name.hasSuffix("/"), indent: indent, isLast: isLast)
            if name.hasSuffix("/"), depth > 1 {
                try await branches(
                    place.with(key: name), indent: indent + (isLast ? "   " : "│  "), files: files, depth: depth - 1)
            }
        }
    }

    private func branch(_ name: String, isFolder: Bool, indent: String, isLast: Bool) {
        screen.say(
            indent + (isLast ? "└─ " : "├─ ") + name,
            ["type": .string(isFolder ? "folder" : "file"), "key": .string(name)])
    }

    /// `mc du TARGET...`
    func diskUsage(_ arguments: [String]) async throws {
        let options = try Options(arguments, of: "du", switches: ["recursive": "r"])
        for word in try options.words(1...100, usage: "du TARGET...") {
            guard case .remote(let place) = try self.place(word) else { throw Self.notRemote(word) }
            do {
                var buckets = [place.bucket]
                if place.bucket.isEmpty { buckets = try await place.client.listBuckets().map(\.name) }
                var (count, bytes): (Int64, Int64) = (0, 0)
                for bucket in buckets {
                    let whole = RemotePlace(alias: place.alias, client: place.client, bucket: bucket, key: place.key)
                    try await pages(whole, delimiter: nil) { page in
                        for object in page.objects where whole.holds(object.key) {
                            count += 1
                            bytes += object.size
                        }
                    }
                }
                screen.say(
                    "\(Sizes.text(bytes))\t\(count) objects\t\(place.text)",
                    ["prefix": .string(place.text), "size": .int(bytes), "objects": .int(count)])
            } catch {
                throw MCError.wrap(error, "Unable to sum up `\(place.text)`")
            }
        }
    }

    /// `mc find ALIAS/BUCKET [--name PATTERN]`
    func find(_ arguments: [String]) async throws {
        let options = try Options(arguments, of: "find", valued: ["name"])
        let word = try options.words(1...1, usage: "find TARGET [--name PATTERN]")[0]
        guard case .remote(let place) = try self.place(word) else { throw Self.notRemote(word) }
        try place.requireBucket(for: "Unable to find in")
        do {
            try await pages(place, delimiter: nil) { page in
                for object in page.objects where place.holds(object.key) {
                    if let pattern = options.values["name"], fnmatch(pattern, CopyPaths.lastName(object.key), 0) != 0 {
                        continue
                    }
                    let found = place.with(key: object.key).text
                    screen.say(found, ["key": .string(found), "size": .int(object.size)])
                }
            }
        } catch {
            throw MCError.wrap(error, "Unable to find in `\(place.text)`")
        }
    }

    private func pad(_ text: String, _ width: Int) -> String {
        String(repeating: " ", count: max(0, width - text.count)) + text
    }
}
