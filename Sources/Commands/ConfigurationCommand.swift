extension Command {
    /// `slipway configuration`: docs/CONFIGURATION.md, from the declarations.
    static let configuration = Command(
        name: "configuration", summary: "every setting with its type, default and environment name, as Markdown",
        examples: [("slipway configuration > docs/CONFIGURATION.md", "Renew the document; a test compares them")]
    ) { _ in
        Output.line(ConfigurationDocument.text(Program.commands))
        return 0
    }
}

/// The text of docs/CONFIGURATION.md.
enum ConfigurationDocument {
    static func text(_ commands: [Command]) -> String {
        var lines = [
            "# Configuration", "",
            "Written by `slipway configuration`; a test compares the two. A value comes from the first of: flag, environment",
            "variable, configuration file, default. Every value given is checked at start, and a wrong one stops it.",
            "",
            "The configuration file is YAML, named by `--config` or `SLIPWAY_CONFIG`: settings that all commands share stand at",
            "the top, a command's own under its name.", "", "```yaml", "data: /var/lib/slipway", "store:",
            "  address: \":9002\"", "```", "",
        ]
        lines += section("Shared by all roles", CommonSettings.ofRole)
        for command in commands {
            let own = command.settings.filter { setting in !CommonSettings.ofRole.contains { $0.name == setting.name } }
            if !own.isEmpty { lines += section("slipway \(command.name)", own) }
        }
        while lines.last == "" { lines.removeLast() }
        return lines.joined(separator: "\n")
    }

    private static func section(_ title: String, _ settings: [SettingDeclaration]) -> [String] {
        var lines = [
            "## \(title)", "", "| flag | environment | allowed | default | what it is |", "|---|---|---|---|---|",
        ]
        for setting in settings {
            let flags = (["--\(setting.name)"] + setting.aliases).map { "`\($0)`" }.joined(separator: ", ")
            let environment = setting.environment.map { "`\($0)`" }.joined(separator: ", ")
            let cells = [
                flags, environment, setting.allowed, setting.defaultText.map { "`\($0)`" } ?? "none", setting.help,
            ]
            lines.append("| " + cells.map { $0.replacing("|", with: "\\|") }.joined(separator: " | ") + " |")
        }
        return lines + [""]
    }
}
