/// Why bytes could not be kept or read.
package struct BlobError: Error, Sendable, Equatable {
    package enum Code: Sendable, Equatable {
        /// The disk has no room, or less than the reserve that keeps deletes working.
        case full
        /// The file is not there.
        case missing
        /// The bytes on disk are not the bytes that were written.
        case corrupt
        /// More disk work waits than the queue holds; nothing was done.
        case busy
        /// Another process has the folder.
        case locked
        /// The folder was written by something else, or by a newer release.
        case incompatible
        /// The system refused; the message holds the call and its error.
        case io
    }

    package let code: Code
    /// For the log and for start-up errors: it may name files, so it never goes to a client.
    package let message: String

    package init(_ code: Code, _ message: String) {
        self.code = code
        self.message = message
    }
}
