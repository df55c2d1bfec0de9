// What a word of the command line names. `alias/bucket/key` is a place in a store when the alias is known; everything
// else is a path on this machine, as with mc itself.

import Bytes
import ObjectClient

/// A file, a folder, or something in a store.
enum Place: Sendable {
    case local(String)
    case remote(RemotePlace)

    /// - Parameter client: gives the client of the alias of a name; nil when there is none.
    init(_ word: String, client: (String) throws -> ObjectClient?) rethrows {
        let (alias, rest) = word.divided(atFirst: "/") ?? (word[...], "")
        guard !word.starts(withBytesOf: "/"), !word.starts(withBytesOf: "."), let client = try client(String(alias))
        else {
            self = .local(word)
            return
        }
        let inside = rest.droppingSlashes()
        let (bucket, key) = inside.divided(atFirst: "/") ?? (inside, "")
        self = .remote(
            RemotePlace(
                alias: String(alias), client: client, bucket: String(bucket), key: String(key.droppingSlashes())))
    }

    /// The place of `name` below this one, which is a folder.
    func joined(_ name: String) -> Place {
        switch self {
        case .local(let path): .local(CopyPaths.join(path, name))
        case .remote(let place) where place.bucket.isEmpty:
            // A whole store: what lies on top are its buckets.
            .remote(place.with(bucketAndKey: name))
        case .remote(let place): .remote(place.with(key: CopyPaths.join(place.key, name)))
        }
    }
}

/// A place in a store: a bucket when `key` is empty, the store itself when `bucket` is empty too.
struct RemotePlace: Sendable {
    let alias: String
    let client: ObjectClient
    let bucket: String
    var key: String

    /// As a person writes it: `myminio/triton/models`.
    var text: String { ([alias, bucket, key] as [String]).filter { !$0.isEmpty }.joined(separator: "/") }

    /// True for a store, a bucket, and a prefix with a slash at its end.
    var isFolderByName: Bool { key.isEmpty || key.ends(withBytesOf: "/") }

    /// True for the object of this very name, and for what lies below it: `models` holds `models/1`, not `models-old`.
    func holds(_ other: String) -> Bool { isFolderByName || other == key || other.starts(withBytesOf: key + "/") }

    func with(bucketAndKey name: String) -> RemotePlace {
        let (bucket, key) = name.divided(atFirst: "/") ?? (name[...], "")
        return RemotePlace(alias: alias, client: client, bucket: String(bucket), key: String(key))
    }

    func with(key: String) -> RemotePlace {
        var place = self
        place.key = key
        return place
    }

    /// Throws unless the word names a bucket at least.
    func requireBucket(for doing: String) throws {
        guard !bucket.isEmpty else {
            throw MCError(.usage, "\(doing) `\(alias)`. A bucket is missing: write \(alias)/BUCKET.")
        }
    }
}

/// Paths of a copy, by mc's rules.
enum CopyPaths {
    /// What one item of a recursive copy is called below the target: a source that ends with a slash gives its contents,
    /// another gives the folder itself.
    ///
    /// - Parameters:
    ///   - item: its path or key, which begins with `source` (or with `source` and a slash).
    ///   - source: as it was typed.
    static func suffix(of item: String, source: String) -> String {
        var suffix = item[...]
        if let parent = source.divided(atLast: "/")?.before, suffix.starts(withBytesOf: parent) {
            suffix = suffix.dropping(bytesOf: parent)
        }
        // One slash: a key may begin with another.
        if suffix.starts(withBytesOf: "/") { suffix = suffix.dropping(bytesOf: "/") }
        while suffix.starts(withBytesOf: "./") { suffix = suffix.dropping(bytesOf: "./") }
        return String(suffix)
    }

    static func join(_ folder: String, _ name: String) -> String {
        folder.isEmpty ? name : folder.ends(withBytesOf: "/") ? folder + name : folder + "/" + name
    }

    /// What stands after the last slash.
    static func lastName(_ path: String) -> String {
        let trimmed = path.droppingLastSlash()
        return String(trimmed.pieces(by: "/").last ?? trimmed)
    }
}
