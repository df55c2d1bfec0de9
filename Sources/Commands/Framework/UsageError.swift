/// What the person typed or configured cannot be used. Shown without a stack trace; the process exits with status 2.
package struct UsageError: Error, Sendable, Equatable, CustomStringConvertible {
    /// One sentence that names the thing, the reason and the allowed values.
    package let message: String
    /// What to do instead, such as the nearest known name; nil when the message says it all.
    package let hint: String?

    package init(_ message: String, hint: String? = nil) {
        self.message = message
        self.hint = hint
    }

    package var description: String { hint.map { "\(message)\n\($0)" } ?? message }
}

/// A command could not do its work. Shown as one line; the process exits with status 1.
package struct CommandFailure: Error, Sendable, Equatable, CustomStringConvertible {
    package let message: String
    package let hint: String?

    package init(_ message: String, hint: String? = nil) {
        self.message = message
        self.hint = hint
    }

    package var description: String { hint.map { "\(message)\n\($0)" } ?? message }
}
