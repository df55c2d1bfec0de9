import Clock
import Formats
import Glibc
import HTTP
import HTTPClient
import ObjectClient
import Signatures

extension Client {
    /// `mc cat ALIAS/BUCKET/KEY...`: the bytes, on standard output.
    func cat(_ arguments: [String]) async throws {
        let options = try Options(arguments, of: "cat")
        for word in try options.words(1...1000, usage: "cat TARGET...") {
            guard case .remote(let place) = try self.place(word) else { throw Self.notRemote(word) }
            try place.requireBucket(for: "Unable to read")
            do {
                try await place.client.read(bucket: place.bucket, key: place.key) { piece in
                    guard Screen.write(piece) else { throw MCError(.file, "Nobody reads the output any more.") }
                }
            } catch {
                throw MCError.wrap(error, "Unable to read from `\(place.text)`")
            }
        }
    }

    /// `mc pipe ALIAS/BUCKET/KEY`: an object of what comes on standard input.
    func pipe(_ arguments: [String]) async throws {
        let options = try Options(arguments, of: "pipe")
        let word = try options.words(1...1, usage: "pipe TARGET")[0]
        guard case .remote(let place) = try self.place(word) else { throw Self.notRemote(word) }
        try place.requireBucket(for: "Unable to write")
        do {
            let sent = try await Upload(place, contentType: ContentTypes.of(place.key)).send(standardInput: ())
            screen.note("\(Sizes.text(sent)) -> `\(place.text)`", ["target": .string(place.text), "size": .int(sent)])
        } catch {
            throw MCError.wrap(error, "Unable to write to `\(place.text)`")
        }
    }

    /// `mc stat [-r] ALIAS/BUCKET[/KEY]...`
    func stat(_ arguments: [String]) async throws {
        let options = try Options(arguments, of: "stat", switches: ["recursive": "r"])
        for word in try options.words(1...100, usage: "stat [--recursive] TARGET...") {
            guard case .remote(let place) = try self.place(word) else { throw Self.notRemote(word) }
            try place.requireBucket(for: "Unable to stat")
            do {
                if options.has("recursive") {
                    for object in try await everything(below: place) {
                        try await statObject(place.with(key: object.key))
                    }
                } else if place.key.isEmpty {
                    try await statBucket(place)
                } else {
                    try await statObject(place)
                }
            } catch {
                throw MCError.wrap(error, "Unable to stat `\(place.text)`")
            }
        }
    }

    private func statBucket(_ place: RemotePlace) async throws {
        guard let bucket = try await place.client.listBuckets().first(where: { $0.name == place.bucket }) else {
            throw ObjectClientError(code: "NoSuchBucket", message: "", status: 404)
        }
        let date = (bucket.created ?? .now).iso8601()
        screen.say(
            "Name      : \(bucket.name)\nDate      : \(date)\nType      : folder",
            ["name": .string(bucket.name), "lastModified": .string(date), "type": "folder"])
    }

    private func statObject(_ place: RemotePlace) async throws {
        guard let fields = try await place.client.head(bucket: place.bucket, key: place.key) else {
            throw ObjectClientError(code: "NoSuchKey", message: "", status: 404)
        }
        let size = fields["Content-Length"].flatMap { Int64($0) } ?? 0
        let etag = (fields["ETag"] ?? "").replacing("\"", with: "")
        let date = fields["Last-Modified"].flatMap { WallTime(httpDate: $0) }?.iso8601() ?? ""
        var metadata = JSONObject()
        for (name, value) in fields.all {
            let lower = name.lowercased()
            if lower.hasPrefix("x-amz-meta-") || ["content-type", "cache-control", "content-encoding"].contains(lower) {
                metadata[name] = .string(value)
            }
        }
        let lines = metadata.map { "\n  \($0.key): \($0.value.stringValue ?? "")" }.joined()
        screen.say(
            "Name      : \(CopyPaths.lastName(place.key))\nDate      : \(date)\nSize      : \(Sizes.text(size))"
                + "\nETag      : \(etag)\nType      : file\nMetadata  :\(lines)",
            [
                "name": .string(place.text), "lastModified": .string(date), "size": .int(size), "etag": .string(etag),
                "type": "file", "metadata": .object(metadata),
            ])
    }

    /// `mc rm [-r --force] ALIAS/BUCKET/KEY...`
    func remove(_ arguments: [String]) async throws {
        let options = try Options(arguments, of: "rm", switches: ["recursive": "r", "force": nil])
        for word in try options.words(1...1000, usage: "rm [--recursive --force] TARGET...") {
            guard case .remote(let place) = try self.place(word) else { throw Self.notRemote(word) }
            try place.requireBucket(for: "Unable to remove")
            if options.has("recursive") {
                guard options.has("force") else {
                    throw MCError(
                        .usage, "Removing everything below `\(place.text)` needs `--force` beside `--recursive`.")
                }
                do { try await removeAll(place) { removed(place.with(key: $0).text) } } catch {
                    throw MCError.wrap(error, "Failed to remove `\(place.text)`")
                }
                continue
            }
            guard !place.isFolderByName else {
                throw MCError(.usage, "`\(place.text)` is a folder. Removing it needs `--recursive --force`.")
            }
            do {
                guard try await place.client.head(bucket: place.bucket, key: place.key) != nil else {
                    throw ObjectClientError(code: "NoSuchKey", message: "", status: 404)
                }
                try await place.client.delete(bucket: place.bucket, key: place.key)
            } catch {
                throw MCError.wrap(error, "Failed to remove `\(place.text)`")
            }
            removed(place.text)
        }
    }

    private func removed(_ text: String) {
        screen.note("Removed `\(text)`.", ["key": .string(text), "deleteMarker": false, "versionID": ""])
    }

    /// Removes every object below a place, a thousand a request.
    func removeAll(_ place: RemotePlace, _ done: @escaping @Sendable (String) -> Void) async throws {
        let keys = try await everything(below: place).map(\.key)
        let size = ObjectClient.removalCountMax
        let blocks = stride(from: 0, to: keys.count, by: size).map { Array(keys[$0..<min(keys.count, $0 + size)]) }
        try await inParallel(blocks) { block in
            let outcome = try await place.client.delete(bucket: place.bucket, keys: block)
            outcome.removed.forEach(done)
            if let failure = outcome.failure {
                throw MCError.wrap(failure.error, "Failed to remove `\(place.with(key: failure.key).text)`")
            }
        }
    }

    /// `mc share download [--expire 168h] ALIAS/BUCKET/KEY`
    func share(_ arguments: [String]) async throws {
        guard arguments.first == "download" else {
            throw MCError(.usage, "Usage: mc share download [--expire DURATION] TARGET (share upload is not supported)")
        }
        let options = try Options(Array(arguments.dropFirst()), of: "share", valued: ["expire", "E"])
        let word = try options.words(1...1, usage: "share download [--expire DURATION] TARGET")[0]
        guard case .remote(let place) = try self.place(word), !place.key.isEmpty else { throw Self.notRemote(word) }
        let text = options.values["expire"] ?? options.values["E"] ?? "168h"
        guard let seconds = Self.seconds(text), (1...604_800).contains(seconds) else {
            throw MCError(.usage, "`--expire \(text)` is not a time from 1s to 168h, such as 90m or 24h.")
        }
        guard let credential = place.client.endpoint.credential else {
            throw MCError(.usage, "`\(place.alias)` has no credential to sign with. Set it with `mc alias set`.")
        }
        do {
            guard try await place.client.head(bucket: place.bucket, key: place.key) != nil else {
                throw ObjectClientError(code: "NoSuchKey", message: "", status: 404)
            }
        } catch {
            throw MCError.wrap(error, "Unable to share `\(place.text)`")
        }
        let endpoint = place.client.endpoint
        let path = "/\(place.bucket)/\(place.key)"
        let url = RequestSigner(credential: credential, region: endpoint.region).presign(
            .get, base: endpoint.url, path: path, expiresSeconds: seconds)
        screen.say(
            "URL: \(endpoint.url)\(path)\nExpire: \(seconds / 86_400) days \(seconds / 3600 % 24) hours "
                + "\(seconds / 60 % 60) minutes \(seconds % 60) seconds\nShare: \(url)\n",
            [
                "url": .string(endpoint.url + path), "share": .string(url),
                "timeLeft": .int(Int64(seconds) * 1_000_000_000),
            ])
    }

    /// `90s`, `15m`, `24h`, `7d`.
    private static func seconds(_ text: String) -> Int? {
        guard let unit = text.last, let count = Int(text.dropLast()), count > 0, count < 1_000_000 else { return nil }
        switch unit {
        case "s": return count
        case "m": return count * 60
        case "h": return count * 3600
        case "d": return count * 86_400
        default: return nil
        }
    }
}
