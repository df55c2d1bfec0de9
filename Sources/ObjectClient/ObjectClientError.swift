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

    /// The store has no such bucket, object or upload. Another server's 404 says nothing about that.
    package var isNotFound: Bool { status == 404 && code != Self.malformedAnswer }

    /// The code of an answer that no object store gives.
    static let malformedAnswer = "MalformedAnswer"

    package var description: String { "\(code): \(message)" }
}
