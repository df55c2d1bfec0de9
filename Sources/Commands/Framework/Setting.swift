// A setting is declared once: its flag, environment names, type, default, range and help. The flag parser, the
// configuration file, `--help`, shell completion and docs/CONFIGURATION.md are all read from that declaration.

/// What is known of a setting without its Swift type.
package struct SettingDeclaration: Sendable {
    /// The flag without its dashes, and the key in the configuration file.
    package let name: String
    /// Other spellings with their dashes, such as `-p` or a flag that MinIO users know.
    package let aliases: [String]
    /// Environment variables, the first that is set wins.
    package let environment: [String]
    /// What stands for the value in `--help`, such as `PORT`; nil for a switch, which takes none.
    package let placeholder: String?
    /// The allowed values in words, such as `0 to 65535`.
    package let allowed: String
    /// The allowed words when they are few, for completion.
    package let choices: [String]
    /// The default in words; nil when there is none.
    package let defaultText: String?
    /// One sentence.
    package let help: String
    /// True for a password: never printed, never in the log.
    package let isSecret: Bool
    /// True for words with commas: a flag that is given again adds to the first instead of taking its place.
    package let isList: Bool
    /// True when the value parses and lies in the range.
    package let accepts: @Sendable (String) -> Bool
}

/// A setting of one type. `settings[setting]` gives its value.
package struct Setting<Value: Sendable>: Sendable {
    package let declaration: SettingDeclaration
    let defaultValue: Value
    let parse: @Sendable (String) -> Value?

    init(
        _ name: String, aliases: [String], environment: [String], placeholder: String?, allowed: String,
        choices: [String] = [], defaultText: String?, help: String, isSecret: Bool = false, isList: Bool = false,
        default defaultValue: Value,
        parse: @escaping @Sendable (String) -> Value?
    ) {
        declaration = SettingDeclaration(
            name: name, aliases: aliases, environment: environment, placeholder: placeholder, allowed: allowed,
            choices: choices, defaultText: defaultText, help: help, isSecret: isSecret, isList: isList,
            accepts: { parse($0) != nil })
        self.defaultValue = defaultValue
        self.parse = parse
    }
}

extension Setting where Value == Int {
    /// A whole number in `range`.
    package static func integer(
        _ name: String, aliases: [String] = [], environment: [String] = [], placeholder: String = "N",
        default defaultValue: Int, range: ClosedRange<Int>, help: String
    ) -> Setting {
        Setting(
            name, aliases: aliases, environment: environment, placeholder: placeholder,
            allowed: "a whole number from \(range.lowerBound) to \(range.upperBound)", defaultText: "\(defaultValue)",
            help: help, default: defaultValue,
            parse: { text in Int(text).flatMap { range.contains($0) ? $0 : nil } })
    }

    /// A TCP port; 0 takes a free one.
    package static func port(
        _ name: String, aliases: [String] = [], environment: [String] = [], default defaultValue: Int, help: String
    ) -> Setting {
        integer(
            name, aliases: aliases, environment: environment, placeholder: "PORT", default: defaultValue,
            range: 0...65535, help: help)
    }

    /// A number of bytes: `65536`, `64KiB`, `16MiB`, `5GiB`.
    package static func bytes(
        _ name: String, environment: [String] = [], default defaultValue: Int, range: ClosedRange<Int>, help: String
    ) -> Setting {
        Setting(
            name, aliases: [], environment: environment, placeholder: "BYTES",
            allowed: "bytes from \(ByteCount.text(range.lowerBound)) to \(ByteCount.text(range.upperBound))",
            defaultText: ByteCount.text(defaultValue), help: help, default: defaultValue,
            parse: { text in ByteCount.parse(text).flatMap { range.contains($0) ? $0 : nil } })
    }

    /// A duration in milliseconds: `1500`, `1500ms`, `20s`, `5m`, `2h`.
    package static func milliseconds(
        _ name: String, environment: [String] = [], default defaultValue: Int, range: ClosedRange<Int>, help: String
    ) -> Setting {
        Setting(
            name, aliases: [], environment: environment, placeholder: "TIME",
            allowed: "a time from \(Duration.text(range.lowerBound)) to \(Duration.text(range.upperBound))",
            defaultText: Duration.text(defaultValue), help: help, default: defaultValue,
            parse: { text in Duration.parse(text).flatMap { range.contains($0) ? $0 : nil } })
    }
}

extension Setting where Value == Double {
    /// A number in `range`.
    package static func number(
        _ name: String, environment: [String] = [], placeholder: String = "X", default defaultValue: Double,
        range: ClosedRange<Double>, help: String
    ) -> Setting {
        Setting(
            name, aliases: [], environment: environment, placeholder: placeholder,
            allowed: "a number from \(range.lowerBound) to \(range.upperBound)", defaultText: "\(defaultValue)",
            help: help, default: defaultValue,
            parse: { text in Double(text).flatMap { range.contains($0) ? $0 : nil } })
    }
}

extension Setting where Value == Bool {
    /// On or off. As a flag `--name` turns it on and `--no-name` off; elsewhere `true`, `false`, `on`, `off`, `1`, `0`.
    package static func toggle(
        _ name: String, aliases: [String] = [], environment: [String] = [], default defaultValue: Bool = false,
        help: String
    ) -> Setting {
        Setting(
            name, aliases: aliases, environment: environment, placeholder: nil, allowed: "true or false",
            choices: ["true", "false"], defaultText: "\(defaultValue)", help: help, default: defaultValue,
            parse: { text in
                switch text.lowercased() {
                case "true", "on", "yes", "1": true
                case "false", "off", "no", "0": false
                default: nil
                }
            })
    }
}

extension Setting where Value == String {
    /// Text that is not empty.
    package static func text(
        _ name: String, aliases: [String] = [], environment: [String] = [], placeholder: String = "TEXT",
        default defaultValue: String, allowed: String = "text that is not empty", help: String,
        where isValid: @escaping @Sendable (String) -> Bool = { !$0.isEmpty }
    ) -> Setting {
        Setting(
            name, aliases: aliases, environment: environment, placeholder: placeholder, allowed: allowed,
            defaultText: defaultValue.isEmpty ? nil : defaultValue, help: help, default: defaultValue,
            parse: { isValid($0) ? $0 : nil })
    }

    /// One of a few words.
    package static func choice(
        _ name: String, aliases: [String] = [], environment: [String] = [], placeholder: String = "WORD",
        default defaultValue: String, of choices: [String], help: String
    ) -> Setting {
        Setting(
            name, aliases: aliases, environment: environment, placeholder: placeholder,
            allowed: choices.count == 1 ? choices[0] : "one of \(choices.joined(separator: ", "))", choices: choices,
            defaultText: defaultValue, help: help, default: defaultValue,
            parse: { choices.contains($0) ? $0 : nil })
    }
}

extension Setting where Value == String? {
    /// Text that may be left out.
    package static func optional(
        _ name: String, aliases: [String] = [], environment: [String] = [], placeholder: String = "TEXT",
        allowed: String = "text that is not empty", help: String, isSecret: Bool = false, isList: Bool = false,
        where isValid: @escaping @Sendable (String) -> Bool = { !$0.isEmpty }
    ) -> Setting {
        Setting(
            name, aliases: aliases, environment: environment, placeholder: placeholder, allowed: allowed,
            defaultText: nil, help: help, isSecret: isSecret, isList: isList, default: nil,
            parse: { isValid($0) ? .some($0) : nil })
    }
}
