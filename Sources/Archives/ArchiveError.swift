/// Why an archive was not unpacked. Nothing of it is left behind.
package struct ArchiveError: Error, Sendable, Equatable, CustomStringConvertible {
    package enum Code: Sendable {
        /// It is no archive of that form, is cut short, or a checksum does not fit.
        case malformed
        /// An entry would be written outside of the folder, or is no file and no folder.
        case unsafe
        /// More entries or bytes than are allowed.
        case tooLarge
        /// A feature that is known and not offered, such as encryption.
        case unsupported
        /// The file cannot be read, or the folder cannot be written.
        case failed
    }

    package let code: Code
    /// One clause for a person; names the entry, never a path of the server.
    package let message: String

    package init(_ code: Code, _ message: String) {
        self.code = code
        self.message = message
    }

    package var description: String { message }
}
