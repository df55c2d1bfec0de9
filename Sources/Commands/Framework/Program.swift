// From the words a person typed to the command that runs: the only place that knows every command.

import CVersion
import Glibc
import Log
import MC

/// The `slipway` program.
package enum Program {
    /// Every command, in the order `slipway help` lists them.
    package static let commands: [Command] = [
        .up, .mc, .store, .track, .infer, .pack, .cluster, .registry, .console, .lineage, .version, .completion,
        .configuration,
    ]

    /// Commands that this program starts itself; nothing lists them.
    private static let ownCommands: [Command] = [.standIn]

    /// Names of settings that stand at the top level of the configuration file.
    static let sharedNames = CommonSettings.ofRole.map(\.name).filter { $0 != CommonSettings.config.declaration.name }

    /// Runs the command that `arguments` (without the program's name) ask for and returns the exit status: 0, 1 when
    /// the command failed, 2 when the command line or the configuration cannot be used.
    package static func run(_ arguments: [String], environment: [String: String] = Environment.current) async -> Int32 {
        ChildProcess.followSupervisor(environment)
        defer { LogOutput.drain() }
        // mc has a command line of its own; its flags are none of the settings here.
        if arguments.first == Command.mc.name {
            return await Client.run(
                Array(arguments.dropFirst()), environment: environment, version: String(cString: slipway_version()))
        }
        do {
            return try await dispatch(arguments, environment: environment)
        } catch let error as UsageError {
            report(error.message, hint: error.hint)
            return 2
        } catch let error as CommandFailure {
            report(error.message, hint: error.hint)
            return 1
        } catch {
            report("\(error)", hint: nil)
            return 1
        }
    }

    private static func dispatch(_ arguments: [String], environment: [String: String]) async throws -> Int32 {
        guard let first = arguments.first, first != "help" && first != "--help" && first != "-h" else {
            if let name = arguments.dropFirst().first {
                Output.line(HelpText.of(try find(name), terminal: Terminal()))
            } else {
                Output.line(HelpText.ofProgram(commands, terminal: Terminal()))
            }
            return 0
        }
        if first == Minikube.name { throw Minikube.refusal(of: Array(arguments.dropFirst())) }
        let command = try find(first == "--version" ? "version" : first)
        let parsed = try Arguments(arguments.dropFirst(), for: command)
        if parsed.asksHelp {
            Output.line(HelpText.of(command, terminal: Terminal()))
            return 0
        }
        let settings = try resolve(command, parsed, environment)
        if command.settings.contains(where: { $0.name == CommonSettings.logLevel.declaration.name }) {
            Logger.threshold = LogLevel.allCases.first { $0.name == settings[CommonSettings.logLevel] } ?? .info
        }
        return try await command.run(
            Invocation(command: command, settings: settings, words: parsed.words, environment: environment))
    }

    private static func resolve(_ command: Command, _ parsed: Arguments, _ environment: [String: String]) throws
        -> Settings
    {
        let config = CommonSettings.config
        let early = try Settings(
            command.settings.filter { $0.name == config.declaration.name }, flags: parsed.flags,
            environment: environment)
        let file = try early[config].map(ConfigurationFile.init(reading:))
        return try Settings(
            command.settings, flags: parsed.flags, environment: environment, file: file, section: command.name)
    }

    private static func find(_ name: String) throws -> Command {
        if let command = (commands + ownCommands).first(where: { $0.name == name }) { return command }
        let nearest = Suggestion.nearest(to: name, in: commands.map(\.name))
        throw UsageError(
            "unknown command '\(name)'",
            hint: nearest.map { "Did you mean `slipway \($0)`?" } ?? "`slipway help` lists the commands")
    }

    private static func report(_ message: String, hint: String?) {
        let terminal = Terminal(STDERR_FILENO)
        Output.errorLine("\(terminal.red("slipway:")) \(message)")
        if let hint { Output.errorLine(hint) }
    }
}

/// The process's environment.
package enum Environment {
    package static var current: [String: String] {
        var variables: [String: String] = [:]
        var cursor = environ
        while let entry = cursor.pointee {
            let text = String(cString: entry)
            if let equals = text.firstIndex(of: "=") {
                variables[String(text[..<equals])] = String(text[text.index(after: equals)...])
            }
            cursor += 1
        }
        return variables
    }
}
