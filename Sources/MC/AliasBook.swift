// The stores that a person has given names, in mc's own file: ~/.mc/config.json, version 10. A file that mc wrote is read
// and kept, members that we do not know included.

import Bytes
import Files
import Formats
import Glibc
import ObjectClient
import Signatures

/// One named store.
struct Alias: Sendable {
    let name: String
    let url: String
    let accessKey: String
    let secretKey: String

    var endpoint: ObjectEndpoint {
        let credential = accessKey.isEmpty ? nil : SigningCredential(accessKey: accessKey, secretKey: secretKey)
        return ObjectEndpoint(url: url, credential: credential)
    }
}

/// The aliases of a person, as they were when the program started.
struct AliasBook: Sendable {
    let folder: String
    private let environment: [String: String]
    private let file: String
    private let stored: Result<[String: Alias], MCError>

    /// Reads the file; what is wrong with it is thrown when an alias is wanted.
    ///
    /// - Parameter folder: `--config-dir`; else `MC_CONFIG_DIR`, else `.mc` in the home folder.
    init(folder: String?, environment: [String: String]) {
        self.environment = environment
        let folder = folder ?? environment["MC_CONFIG_DIR"] ?? "\(environment["HOME"] ?? ".")/.mc"
        let file = "\(folder)/config.json"
        self.folder = folder
        self.file = file
        stored = Result { () throws(MCError) in Self.aliases(of: try Self.document(file)) }
    }

    /// The alias of this name: from `MC_HOST_name` (`http://key:secret@host:port`), else from the file.
    func find(_ name: String) throws -> Alias? {
        guard Self.isValid(name) else { return nil }
        if let text = environment["MC_HOST_\(name)"] { return try Self.parse(text, name: name) }
        return try stored.get()[name]
    }

    /// Those of the file, by name.
    func all() throws -> [Alias] { try stored.get().values.sorted { $0.name < $1.name } }

    func set(_ alias: Alias) throws {
        guard Self.isValid(alias.name) else {
            throw MCError(
                .usage,
                "Invalid alias `\(alias.name)`. It begins with a letter; letters, digits, `-` and `_` may follow.")
        }
        guard alias.url.hasPrefix("http://") || alias.url.hasPrefix("https://") else {
            throw MCError(.usage, "Invalid URL `\(alias.url)`. Write http://HOST:PORT or https://HOST:PORT.")
        }
        try change { aliases in
            aliases[alias.name] = [
                "url": .string(alias.url), "accessKey": .string(alias.accessKey), "secretKey": .string(alias.secretKey),
                "api": "s3v4", "path": "auto",
            ]
        }
    }

    func remove(_ name: String) throws {
        guard try stored.get()[name] != nil else {
            throw MCError(.configuration, "No such alias `\(name)` found. `mc alias list` shows them.")
        }
        try change { $0[name] = nil }
    }

    private static func aliases(of document: JSON) -> [String: Alias] {
        var found: [String: Alias] = [:]
        for (name, value) in document["aliases"]?.objectValue ?? JSONObject() {
            found[name] = Alias(
                name: name, url: value["url"]?.stringValue ?? "", accessKey: value["accessKey"]?.stringValue ?? "",
                secretKey: value["secretKey"]?.stringValue ?? "")
        }
        return found
    }

    private static func document(_ file: String) throws(MCError) -> JSON {
        guard let bytes = FileTools.readAll(file, bytesMax: 1 << 20) else { return ["version": "10", "aliases": [:]] }
        guard let document = try? JSON.parse(bytes), document.objectValue != nil else {
            throw MCError(.configuration, "`\(file)` is not mc's configuration. Mend it, or move it away.")
        }
        return document
    }

    private func change(_ body: (inout JSONObject) -> Void) throws {
        // Another mc may have written since this one started.
        guard case .object(var document) = try Self.document(file) else { return }
        var aliases = document["aliases"]?.objectValue ?? JSONObject()
        body(&aliases)
        document["version"] = document["version"] ?? "10"
        document["aliases"] = .object(aliases)
        var writer = JSONWriter(indented: true)
        writer.value(.object(document))
        try LocalFiles.makeFolder(folder, mode: 0o700)
        try LocalFiles.replace(file, writer.bytes + [UInt8(ascii: "\n")], mode: 0o600)
    }

    private static func isValid(_ name: String) -> Bool {
        guard let first = name.utf8.first, (first | 0x20) >= 0x61, (first | 0x20) <= 0x7a else { return false }
        return name.utf8.allSatisfy {
            (0x61...0x7a).contains($0 | 0x20) || (0x30...0x39).contains($0) || $0 == 0x2d || $0 == 0x5f
        }
    }

    /// `http://key:secret@host:port`; the key and the secret may be percent-encoded.
    private static func parse(_ text: String, name: String) throws -> Alias {
        guard let mark = text.firstRange(of: "://") else {
            throw MCError(.configuration, "MC_HOST_\(name) is not of the form http://KEY:SECRET@HOST:PORT.")
        }
        let rest = text[mark.upperBound...]
        guard let at = rest.lastIndex(of: "@") else {
            return Alias(name: name, url: text, accessKey: "", secretKey: "")
        }
        let pair = rest[..<at].pieces(by: ":", maxSplits: 1, omittingEmptySubsequences: false)
        guard pair.count == 2, let key = PercentCoding.decode(pair[0]), let secret = PercentCoding.decode(pair[1])
        else {
            throw MCError(.configuration, "MC_HOST_\(name) is not of the form http://KEY:SECRET@HOST:PORT.")
        }
        return Alias(
            name: name, url: String(text[..<mark.upperBound] + rest[rest.index(after: at)...]), accessKey: key,
            secretKey: secret)
    }
}
