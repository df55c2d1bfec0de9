// One YAML file configures every command:
//
//     data: /var/lib/slipway        # settings that all commands share stand at the top
//     store:
//       port: 9002                  # a command's own settings stand under its name
//
// `slipway up` hands the file on to the roles it starts, and each reads its own section.

import Formats

/// A configuration file that has been read.
package struct ConfigurationFile: Sendable {
    package let path: String
    private let root: JSONObject

    /// - Parameter root: the parsed file; an empty file is null.
    init(path: String, root: JSON) throws {
        self.path = path
        switch root {
        case .object(let members): self.root = members
        case .null: self.root = JSONObject()
        default: throw UsageError("\(path): a configuration file is a mapping of names to values")
        }
    }

    /// Reads the file at `path`.
    init(reading path: String) throws {
        guard let bytes = try PrivateFile.read(path) else {
            throw UsageError(
                "there is no configuration file \(path)",
                hint: "--config, or SLIPWAY_CONFIG, names a YAML file that is there.")
        }
        let documents: [JSON]
        do throws(YAMLError) {
            documents = try YAML.parse(bytes)
        } catch {
            throw UsageError("\(path): \(error.message)")
        }
        guard documents.count <= 1 else { throw UsageError("\(path): one YAML document, not \(documents.count)") }
        try self.init(path: path, root: documents.first ?? .null)
    }

    /// The text of `name`, from the command's section before the top level, with its key as the file has it.
    func value(_ name: String, section: String?) throws -> (key: String, text: String)? {
        if let section, let members = root[section]?.objectValue, let value = members[name] {
            return ("\(section).\(name)", try Self.text(value, key: "\(section).\(name)", path: path))
        }
        guard Program.sharedNames.contains(name), let value = root[name] else { return nil }
        return (name, try Self.text(value, key: name, path: path))
    }

    /// Throws `UsageError` for a key that no command or setting has, with the nearest that exists.
    func checkKeys(_ declarations: [SettingDeclaration], section: String?) throws {
        let sections = Program.commands.filter { !$0.settings.isEmpty }.map(\.name)
        for (key, value) in root where !Program.sharedNames.contains(key) {
            guard sections.contains(key) else {
                let known = sections + Program.sharedNames
                throw UsageError(
                    "\(path): unknown key '\(key)'",
                    hint: Suggestion.nearest(to: key, in: known).map { "Did you mean '\($0)'?" }
                        ?? "Known at the top: \(known.sorted().joined(separator: ", "))")
            }
            guard let members = value.objectValue else {
                if value == .null { continue }
                throw UsageError("\(path): '\(key)' must be a mapping of its settings")
            }
            guard key == section else { continue }
            let names = declarations.map(\.name)
            for name in members.keys where !names.contains(name) {
                throw UsageError(
                    "\(path): unknown key '\(key).\(name)'",
                    hint: Suggestion.nearest(to: name, in: names).map { "Did you mean '\(key).\($0)'?" }
                        ?? "`slipway \(key) --help` lists them")
            }
        }
    }

    private static func text(_ value: JSON, key: String, path: String) throws -> String {
        switch value {
        case .string(let text): return text
        case .bool(let flag): return "\(flag)"
        case .int(let number): return "\(number)"
        case .unsigned(let number): return "\(number)"
        case .double(let number): return "\(number)"
        case .array(let elements):
            return try elements.map { try Self.text($0, key: key, path: path) }.joined(separator: ",")
        case .null, .object: throw UsageError("\(path): '\(key)' must be a single value")
        }
    }
}
