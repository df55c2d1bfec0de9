import Bytes

/// The text of `--help`.
package enum HelpText {
    /// Help for one command: usage, flags with type, default and environment, examples.
    package static func of(_ command: Command, terminal: Terminal) -> String {
        var lines = ["slipway \(command.name): \(command.summary)", ""]
        let flagsWord = command.settings.isEmpty ? "" : " [flags]"
        let words = command.positional.map { " \($0)" } ?? ""
        lines += [terminal.bold("Usage"), "  slipway \(command.name)\(flagsWord)\(words)"]
        if !command.details.isEmpty {
            lines += [""] + command.details.pieces(by: "\n", omittingEmptySubsequences: false).map(String.init)
        }
        if !command.settings.isEmpty {
            lines += ["", terminal.bold("Flags")]
            let spellings = command.settings.map(spelling)
            let indent = min((spellings.map(\.count).max() ?? 0) + 4, 34)
            for (declaration, spelling) in zip(command.settings, spellings) {
                let text = wrap(declaration.help, width: max(terminal.width - indent, 40))
                let notes = wrap(notes(declaration), width: max(terminal.width - indent, 40)).map(terminal.dim)
                let first = "  \(spelling)"
                if first.count + 2 > indent {
                    lines.append(first)
                } else {
                    lines.append(first + String(repeating: " ", count: indent - first.count) + (text.first ?? ""))
                }
                let rest = first.count + 2 > indent ? text + notes : text.dropFirst() + notes
                lines += rest.map { String(repeating: " ", count: indent) + $0 }
            }
        }
        if !command.examples.isEmpty {
            lines += ["", terminal.bold("Examples")]
            for example in command.examples { lines += ["  # \(example.purpose)", "  \(example.line)"] }
        }
        return lines.joined(separator: "\n")
    }

    /// Help for the program: its commands.
    package static func ofProgram(_ commands: [Command], terminal: Terminal) -> String {
        var table = TextTable(["", ""])
        for command in commands { table.add("  \(command.name)", command.summary) }
        return """
            slipway: object store, experiment tracking, inference and workflows in one binary

            \(terminal.bold("Usage"))
              slipway COMMAND [flags]

            \(terminal.bold("Commands"))
            \(table.text)

            \(terminal.bold("Examples"))
              # Everything, in ./slipway-data
              slipway up
              # What a command takes
              slipway store --help
            """
    }

    private static func spelling(_ declaration: SettingDeclaration) -> String {
        let names = (["--\(declaration.name)"] + declaration.aliases).joined(separator: ", ")
        return declaration.placeholder.map { "\(names) \($0)" } ?? names
    }

    private static func notes(_ declaration: SettingDeclaration) -> String {
        var parts = [declaration.allowed]
        if let text = declaration.defaultText { parts.append("default \(text)") }
        if !declaration.environment.isEmpty {
            parts.append("environment \(declaration.environment.joined(separator: ", "))")
        }
        return "(" + parts.joined(separator: "; ") + ")"
    }

    /// `text` in lines of at most `width` characters, broken at spaces.
    static func wrap(_ text: String, width: Int) -> [String] {
        var lines: [String] = []
        var line = ""
        for word in text.pieces(by: " ") {
            if !line.isEmpty, line.count + 1 + word.count > width {
                lines.append(line)
                line = ""
            }
            line += line.isEmpty ? String(word) : " \(word)"
        }
        return line.isEmpty ? lines : lines + [line]
    }
}
