import Glibc

extension Command {
    /// `slipway completion SHELL`.
    static let completion = Command(
        name: "completion", summary: "shell completion for bash, zsh or fish",
        positional: "bash|zsh|fish", positionalChoices: ["bash", "zsh", "fish"],
        examples: [
            ("source <(slipway completion bash)", "In ~/.bashrc"),
            ("slipway completion fish > ~/.config/fish/completions/slipway.fish", "For fish"),
        ]
    ) { invocation in
        switch invocation.words.first {
        case "bash": Output.line(Completion.bash(Program.commands))
        case "zsh": Output.line("autoload -U +X bashcompinit && bashcompinit\n\(Completion.bash(Program.commands))")
        case "fish": Output.line(Completion.fish(Program.commands))
        case let word:
            throw UsageError(
                "\(word.map { "unknown shell '\($0)'" } ?? "which shell?")", hint: "Give bash, zsh or fish.")
        }
        return 0
    }
}

/// Completion scripts, written from the commands' own declarations.
enum Completion {
    static func bash(_ commands: [Command]) -> String {
        var cases: [String] = []
        for command in commands {
            let flags = command.settings.map { "--\($0.name)" } + ["--help"] + command.positionalChoices
            cases.append("        \(command.name)) words=\"\(flags.joined(separator: " "))\" ;;")
        }
        return """
            _slipway() {
                local current="${COMP_WORDS[COMP_CWORD]}" words="\(commands.map(\.name).joined(separator: " ")) help"
                if [ "$COMP_CWORD" -gt 1 ]; then
                    case "${COMP_WORDS[1]}" in
            \(cases.joined(separator: "\n"))
                    esac
                fi
                COMPREPLY=($(compgen -W "$words" -- "$current"))
                [ ${#COMPREPLY[@]} -gt 0 ] || COMPREPLY=($(compgen -f -- "$current"))
            }
            complete -F _slipway slipway
            """
    }

    static func fish(_ commands: [Command]) -> String {
        var lines = ["complete -c slipway -f"]
        for command in commands {
            lines.append("complete -c slipway -n __fish_use_subcommand -a \(command.name) -d '\(command.summary)'")
            let condition = "-n '__fish_seen_subcommand_from \(command.name)'"
            for setting in command.settings {
                let values = setting.choices.isEmpty ? "" : " -x -a '\(setting.choices.joined(separator: " "))'"
                let help = setting.help.filter { $0 != "'" }
                lines.append("complete -c slipway \(condition) -l \(setting.name)\(values) -d '\(help)'")
            }
            if !command.positionalChoices.isEmpty {
                lines.append(
                    "complete -c slipway \(condition) -a '\(command.positionalChoices.joined(separator: " "))'")
            }
        }
        return lines.joined(separator: "\n")
    }
}
