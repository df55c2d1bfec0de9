/// Why an object store did not do what was asked.
package struct ObjectClientError: Error, Sendable, Equatable, CustomStringConvertible {
    /// The store's error code, such as `NoSuchKey`; `Unreachable` when no answer came.
    package let code: String
    package let message: String
    /// The HTTP status; 0 when no answer came.
    package let status: Int

    package init(code: String, message: String, status: Int) {
        self.code = code
        self.message = message
        self.status = status
    }

    package var isNotFound: Bool { status == 404 }

    package var description: String { "\(code): \(message)" }
}
