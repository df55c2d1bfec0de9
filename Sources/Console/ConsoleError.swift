/// Why the console refuses a request. The message is for the person at the browser.
package struct ConsoleError: Error, Sendable, Equatable {
    package enum Code: String, Sendable {
        case notLoggedIn = "NotLoggedIn"
        case wrongCredentials = "WrongCredentials"
        case tooManyAttempts = "TooManyAttempts"
        /// A write without the session's token, or from another site.
        case forgeryGuard = "ForgeryGuard"
        /// A call that the console never passes on.
        case notOffered = "NotOffered"
        case invalid = "Invalid"
        case tooLarge = "TooLarge"
        case lengthRequired = "LengthRequired"
        /// A signed request of an S3 client.
        case notAnAPI = "NotAnAPI"
        case notFound = "NotFound"
        /// A server behind the console does not answer, or answers nonsense.
        case unreachable = "Unreachable"
    }

    package let code: Code
    package let message: String

    package init(_ code: Code, _ message: String) {
        self.code = code
        self.message = message
    }

    static let notLoggedIn = ConsoleError(
        .notLoggedIn, "Log in to the web console first: the session has ended or was never opened.")

    /// For a client that took the console's port for the API's.
    static let notAnAPI = ConsoleError(
        .notAnAPI,
        """
        This is the web console, not the S3 API: give the client the address of the API (the store's --address, port \
        9000 unless told otherwise).
        """)
}
