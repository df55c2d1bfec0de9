/// Why an image cannot be had.
package struct ImageError: Error, Sendable, Equatable, CustomStringConvertible {
    package enum Code: Sendable {
        /// The registry has no image of that name.
        case notFound
        /// The registry wants a log-in, or this one may not read the image.
        case unauthorized
        /// The registry does not answer, or breaks off.
        case unreachable
        /// What came is not what its digest says, or cannot be read.
        case malformed
        /// An image of a kind that is not run here.
        case unsupported
        /// It cannot be written here: the disk is full, or this process may not.
        case failed
    }

    package let code: Code
    /// One sentence for a person that names the image and the way out.
    package let message: String

    package init(_ code: Code, _ message: String) {
        self.code = code
        self.message = message
    }

    package var description: String { message }
}
