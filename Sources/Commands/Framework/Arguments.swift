// The flag syntax: `--name value`, `--name=value`, `--switch`, `--no-switch`, short aliases as `-p value`, and `--`
// after which every word is a word. A flag may stand before or after the words. The last of two equal flags wins, but
// those of a list add up, as with Triton's --load-model.

import Bytes

/// The flags and words of one command line, by the names of `declarations`.
package struct Arguments: Sendable, Equatable {
    package private(set) var flags: [String: String] = [:]
    package private(set) var words: [String] = []
    /// True when `--help`, `-h` or a lone `help` was among them.
    package private(set) var asksHelp = false

    /// Throws `UsageError` for an unknown flag (with the nearest known one), a missing value, or a word too many.
    package init(_ arguments: some Sequence<String>, for command: Command) throws {
        var rest = Array(arguments)[...]
        while let argument = rest.popFirst() {
            if argument == "--" {
                words += rest
                break
            }
            guard argument.hasPrefix("-"), argument != "-" else {
                words.append(argument)
                continue
            }
            // Some upstream programs spell a setting -h; alone it still asks for help.
            let isHost =
                argument == "-h" && rest.first.map { !$0.hasPrefix("-") } == true
                && command.settings.contains { $0.aliases.contains("-h") }
            if argument == "--help" || (argument == "-h" && !isHost) {
                asksHelp = true
                continue
            }
            let parts = argument.pieces(by: "=", maxSplits: 1, omittingEmptySubsequences: false).map(String.init)
            let (declaration, isNegated) = try Self.find(parts[0], in: command)
            if declaration.placeholder == nil {
                if parts.count == 2, isNegated { throw UsageError("\(parts[0]) takes no value") }
                flags[declaration.name] = parts.count == 2 ? parts[1] : isNegated ? "false" : "true"
            } else if parts.count == 2 {
                add(parts[1], to: declaration)
            } else if let value = rest.popFirst() {
                add(value, to: declaration)
            } else {
                throw UsageError("\(argument) needs a value: \(declaration.allowed)")
            }
        }
        if words == ["help"], !arguments.contains("--") { asksHelp = true }
        if command.positional == nil, let word = words.first, !asksHelp {
            throw UsageError("unexpected word '\(word)'", hint: "`slipway \(command.name) --help` shows what it takes")
        }
    }

    private mutating func add(_ value: String, to declaration: SettingDeclaration) {
        let earlier = declaration.isList ? flags[declaration.name] : nil
        flags[declaration.name] = earlier.map { "\($0),\(value)" } ?? value
    }

    private static func find(_ spelling: String, in command: Command) throws -> (SettingDeclaration, isNegated: Bool) {
        for declaration in command.settings {
            if spelling == "--\(declaration.name)" || declaration.aliases.contains(spelling) {
                return (declaration, false)
            }
            if declaration.placeholder == nil, spelling == "--no-\(declaration.name)" { return (declaration, true) }
        }
        let known = command.settings.flatMap { ["--\($0.name)"] + $0.aliases } + ["--help"]
        throw UsageError(
            "unknown flag \(spelling)",
            hint: Suggestion.nearest(to: spelling, in: known).map { "Did you mean \($0)?" }
                ?? "`slipway \(command.name) --help` lists the flags")
    }
}
