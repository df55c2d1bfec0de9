// mc: the client of object stores that MinIO's users know, against any S3. One file for each family of operations; what
// they share is here: aliases, places, pages of listings, a bounded number of transfers at once.

import Bytes
import Files
import Formats
import HTTPClient
import ObjectClient
import Signatures

/// One run of `mc`.
package struct Client: Sendable {
    let aliases: AliasBook
    let screen: Screen
    private let http: HTTPClient

    /// Transfers and removals at once.
    static let parallelCount = 4

    /// Runs `arguments` (without the program's name) and returns the exit status: 0, or 1 after an error.
    ///
    /// - Parameter version: what `mc --version` prints.
    package static func run(_ arguments: [String], environment: [String: String], version: String) async -> Int32 {
        var rest = arguments
        var folder: String?
        var isJSON = false
        var isQuiet = false
        var asksHelp = false
        var asksVersion = false
        var isInsecure = false
        // Global flags stand anywhere.
        var words: [String] = []
        while !rest.isEmpty {
            let word = rest.removeFirst()
            switch word {
            case "--json": isJSON = true
            case "--quiet", "-q": isQuiet = true
            case "--no-color", "--disable-pager", "--dp": break
            case "--help", "-h": asksHelp = true
            case "--version", "-v": asksVersion = true
            case "--insecure": isInsecure = true
            case "--config-dir", "-C": folder = rest.isEmpty ? nil : rest.removeFirst()
            case _ where word.hasPrefix("--config-dir="): folder = String(word.dropFirst(13))
            default: words.append(word)
            }
        }
        let screen = Screen(isJSON: isJSON, isQuiet: isQuiet)
        if !asksHelp, asksVersion || words == ["version"] {
            screen.say("mc version \(version) (slipway)", ["version": .string(version)])
            return 0
        }
        guard !asksHelp, let operation = words.first, operation != "help" else {
            screen.say(Help.text(of: words.first { $0 != "help" }), ["help": .string(Help.text(of: words.first))])
            return 0
        }
        do {
            let aliases = AliasBook(folder: folder, environment: environment)
            let client = Client(
                aliases: aliases, screen: screen, http: Authorities.client(of: aliases, isInsecure: isInsecure))
            try await client.perform(operation, Array(words.dropFirst()))
            return 0
        } catch {
            screen.fail(MCError.wrap(error, "Unable to \(operation)").message)
        }
        return 1
    }

    private func perform(_ operation: String, _ arguments: [String]) async throws {
        switch operation {
        case "alias": try await alias(arguments)
        case "config":
            guard arguments.first == "host" else {
                throw MCError(.usage, "Usage: mc config host add|list|remove; the newer spelling is mc alias")
            }
            try await alias(Array(arguments.dropFirst()))
        case "mb": try await makeBucket(arguments)
        case "rb": try await removeBucket(arguments)
        case "ls": try await list(arguments)
        case "tree": try await tree(arguments)
        case "du": try await diskUsage(arguments)
        case "find": try await find(arguments)
        case "cp": try await copy(arguments)
        case "mirror": try await mirror(arguments)
        case "cat": try await cat(arguments)
        case "pipe": try await pipe(arguments)
        case "stat": try await stat(arguments)
        case "rm": try await remove(arguments)
        case "share": try await share(arguments)
        default:
            throw MCError(
                .usage,
                "`\(operation)` is not supported by this mc. It knows \(Help.operations.joined(separator: ", ")).")
        }
    }

    // MARK: What operations share

    func place(_ word: String) throws -> Place {
        try Place(word) { name in try aliases.find(name).map { client(of: $0) } }
    }

    func client(of alias: Alias) -> ObjectClient { ObjectClient(endpoint: alias.endpoint, client: http) }

    /// Calls `body` with each page of the keys that begin with the place's key.
    func pages(_ place: RemotePlace, delimiter: String?, _ body: (ObjectPage) throws -> Void) async throws {
        var token: String?
        repeat {
            let page = try await place.client.list(
                bucket: place.bucket, prefix: place.key, delimiter: delimiter, continuationToken: token)
            try body(page)
            guard page.continuationToken == nil || page.continuationToken != token else {
                throw MCError(.store, "The listing of `\(place.text)` does not advance.")
            }
            token = page.continuationToken
        } while token != nil
    }

    /// The prefix with a slash when objects lie below a place of that name; nil when none do.
    func folderPrefix(of place: RemotePlace) async throws -> String? {
        let prefix = place.key + "/"
        let page = try await place.client.list(bucket: place.bucket, prefix: prefix, delimiter: "/")
        return page.objects.isEmpty && page.commonPrefixes.isEmpty ? nil : prefix
    }

    /// Every object below a place: the object of this name itself, or all whose keys begin with it and a slash.
    func everything(below place: RemotePlace) async throws -> [ObjectSummary] {
        var found: [ObjectSummary] = []
        try await pages(place, delimiter: nil) { page in
            found += page.objects.filter { place.holds($0.key) }
        }
        return found
    }

    /// Runs `body` for each item, `parallelCount` at once; the first error ends it.
    func inParallel<Item: Sendable>(
        _ items: [Item], _ body: @escaping @Sendable (Item) async throws -> Void
    ) async throws {
        try await withThrowingTaskGroup(of: Void.self) { group in
            for (index, item) in items.enumerated() {
                if index >= Self.parallelCount { try await group.next() }
                group.addTask { try await body(item) }
            }
            try await group.waitForAll()
        }
    }
}

/// Certificate authorities that a person put beside the aliases, as mc does: certs/CAs/*.
private enum Authorities {
    /// - Parameter isInsecure: `--insecure`: any certificate will do, and whoever shows it can read everything.
    static func client(of aliases: AliasBook, isInsecure: Bool) -> HTTPClient {
        if isInsecure {
            var configuration = HTTPClient.Configuration()
            configuration.verifiesServer = false
            return HTTPClient(configuration: configuration)
        }
        let folder = "\(aliases.folder)/certs/CAs"
        guard LocalFiles.kind(folder) == .folder, let files = try? LocalFiles.walk(folder), !files.isEmpty else {
            return .shared
        }
        let bundle = files.flatMap { FileTools.readAll($0.path, bytesMax: 1 << 20) ?? [] }
        let path = "\(aliases.folder)/certs/authorities.pem"
        guard (try? LocalFiles.replace(path, bundle, mode: 0o600)) != nil else { return .shared }
        var configuration = HTTPClient.Configuration()
        configuration.authorityPath = path
        return HTTPClient(configuration: configuration)
    }
}
