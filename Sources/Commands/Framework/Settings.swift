// Where a value comes from, strongest first: flag, environment, configuration file, default. Every value that is
// given is checked at start-up, also one that a stronger source hides, so that a typing mistake never waits.

import Formats

/// The values of one command's settings, all valid.
package struct Settings: Sendable {
    private var texts: [String: String] = [:]

    /// Resolves `declarations` from what was typed, the environment and the configuration file.
    ///
    /// Throws `UsageError` naming the key, the value (unless secret) and what is allowed.
    package init(
        _ declarations: [SettingDeclaration], flags: [String: String], environment: [String: String],
        file: ConfigurationFile? = nil, section: String? = nil
    ) throws {
        if let file { try file.checkKeys(declarations, section: section) }
        for declaration in declarations {
            if let file, let (key, text) = try file.value(declaration.name, section: section) {
                try set(declaration, text, source: "\(key) in \(file.path)")
            }
            // Empty counts as unset: compose files pass `NAME=` for what they leave out.
            if let name = declaration.environment.first(where: { !(environment[$0] ?? "").isEmpty }),
                let text = environment[name]
            {
                try set(declaration, text, source: "environment variable \(name)")
            }
            if let text = flags[declaration.name] {
                try set(declaration, text, source: "--\(declaration.name)")
            }
        }
    }

    private mutating func set(_ declaration: SettingDeclaration, _ text: String, source: String) throws {
        guard declaration.accepts(text) else {
            let shown = declaration.isSecret ? "(not shown)" : "'\(text)'"
            throw UsageError("\(source): \(shown) is not allowed; give \(declaration.allowed)")
        }
        texts[declaration.name] = text
    }

    /// The value of `setting`, which must be one of the command's.
    package subscript<Value>(_ setting: Setting<Value>) -> Value {
        texts[setting.declaration.name].flatMap(setting.parse) ?? setting.defaultValue
    }

    /// True when some source gave a value, so the default does not speak.
    package func isGiven<Value>(_ setting: Setting<Value>) -> Bool { texts[setting.declaration.name] != nil }
}
