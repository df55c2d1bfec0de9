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
        let alias = String(word.prefix { $0 != "/" })
        guard !word.hasPrefix("/"), !word.hasPrefix("."), let client = try client(alias) else {
            self = .local(word)
            return
        }
        let rest = word.dropFirst(alias.count).drop { $0 == "/" }
        let bucket = String(rest.prefix { $0 != "/" })
        let key = String(rest.dropping(bytesOf: bucket).drop { $0 == "/" })
        self = .remote(RemotePlace(alias: alias, client: client, bucket: bucket, key: key))
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
    var isFolderByName: Bool { key.isEmpty || key.hasSuffix("/") }

    /// True for the object of this very name, and for what lies below it: `models` holds `models/1`, not `models-old`.
    func holds(_ other: String) -> Bool { isFolderByName || other == key || other.hasPrefix(key + "/") }

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
    /// The key or path of one item of a recursive copy below `target`: a source that ends with a slash gives its contents,
    /// another gives the folder itself.
    ///
    /// - Parameters:
    ///   - source: as it was typed.
    ///   - item: the item's path or key, which begins with `source` (or with `source` and a slash).
    static func nested(source: String, item: String, target: String) -> String {
        var suffix = item[...]
        if let slash = source.lastPlace(of: "/") {
            let parent = source[..<slash]
            if suffix.hasPrefix(parent) { suffix = suffix.dropping(bytesOf: parent) }
        }
        suffix = suffix.drop { $0 == "/" }
        while suffix.hasPrefix("./") { suffix = suffix.dropFirst(2) }
        return join(target, String(suffix))
    }

    static func join(_ folder: String, _ name: String) -> String {
        folder.isEmpty ? name : folder.hasSuffix("/") ? folder + name : folder + "/" + name
    }

    /// What stands after the last slash.
    static func lastName(_ path: String) -> String {
        let trimmed = path.hasSuffix("/") ? path.dropLast() : path[...]
        return String(trimmed.pieces(by: "/").last ?? trimmed)
    }
}
