import Formats
import ObjectClient
import Signatures

extension Client {
    /// `mc alias set NAME URL KEY SECRET`, `list`, `remove`; also as `mc config host add|list|remove`.
    func alias(_ arguments: [String]) async throws {
        let options = try Options(arguments.dropFirst().map { $0 }, of: "alias", valued: ["api", "path"])
        switch arguments.first {
        case "set", "add", "s": try await setAlias(options)
        case "list", "ls": try listAliases(options)
        case "remove", "rm":
            let name = try options.words(1...1, usage: "alias remove NAME")[0]
            try aliases.remove(name)
            screen.say("Removed `\(name)` successfully.", ["alias": .string(name)])
        default: throw MCError(.usage, "Usage: mc alias set NAME URL [KEY SECRET] | list [NAME] | remove NAME")
        }
    }

    private func setAlias(_ options: Options) async throws {
        let words = try options.words(2...4, usage: "alias set NAME URL [ACCESS-KEY SECRET-KEY]")
        guard !words[0].contains("://") else {
            throw MCError(
                .usage, "The alias is missing before `\(words[0])`. Write `mc alias set NAME \(words[0]) KEY SECRET`.")
        }
        guard words.count != 3 else { throw MCError(.usage, "The secret key is missing after the access key.") }
        var url = words[1]
        while url.hasSuffix("/") { url.removeLast() }
        let alias = Alias(
            name: words[0], url: url, accessKey: words.count == 4 ? words[2] : "",
            secretKey: words.count == 4 ? words[3] : "")
        // A name for a store that does not take the credential would only fail later, and further from its cause.
        if !alias.accessKey.isEmpty, alias.url.hasPrefix("http") {
            do {
                _ = try await client(of: alias).listBuckets()
            } catch {
                throw MCError.wrap(error, "Unable to initialize new alias from the provided credentials")
            }
        }
        try aliases.set(alias)
        screen.say(
            "Added `\(alias.name)` successfully.",
            [
                "alias": .string(alias.name), "URL": .string(alias.url), "accessKey": .string(alias.accessKey),
                "api": "s3v4", "path": "auto",
            ])
    }

    private func listAliases(_ options: Options) throws {
        let wanted = try options.words(0...1, usage: "alias list [NAME]").first
        let found = try aliases.all().filter { wanted == nil || $0.name == wanted }
        if let wanted, found.isEmpty {
            throw MCError(.configuration, "No such alias `\(wanted)` found. `mc alias list` shows them.")
        }
        for alias in found {
            // Secrets stay in the file.
            screen.say(
                "\(alias.name)\n  URL       : \(alias.url)\n  AccessKey : \(alias.accessKey)\n  API       : s3v4\n  Path      : auto",
                [
                    "alias": .string(alias.name), "URL": .string(alias.url), "accessKey": .string(alias.accessKey),
                    "api": "s3v4", "path": "auto",
                ])
        }
    }
}
