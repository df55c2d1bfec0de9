/// One subcommand, such as `slipway store`.
package struct Command: Sendable {
    package let name: String
    /// One line without a full stop, for the list of commands.
    package let summary: String
    /// What it does, for `--help`; lines as they shall be printed.
    package let details: String
    package let settings: [SettingDeclaration]
    /// What the words without a dash are called, such as `[FOLDER]`; nil takes none.
    package let positional: String?
    /// The words a positional may be, for completion.
    package let positionalChoices: [String]
    /// Command lines with what each is for.
    package let examples: [(line: String, purpose: String)]
    /// Does the work and returns the exit status.
    package let run: @Sendable (Invocation) async throws -> Int32

    package init(
        name: String, summary: String, details: String = "", settings: [SettingDeclaration] = [],
        positional: String? = nil, positionalChoices: [String] = [],
        examples: [(line: String, purpose: String)] = [], run: @escaping @Sendable (Invocation) async throws -> Int32
    ) {
        self.name = name
        self.summary = summary
        self.details = details
        self.settings = settings
        self.positional = positional
        self.positionalChoices = positionalChoices
        self.examples = examples
        self.run = run
    }
}

/// A command line that has been understood.
package struct Invocation: Sendable {
    package let command: Command
    package let settings: Settings
    /// The words without a dash, in order.
    package let words: [String]
    package let environment: [String: String]
}
