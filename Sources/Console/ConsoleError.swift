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

    static let notLoggedIn = ConsoleError(.notLoggedIn, "Log in first: the session has ended or was never opened.")
}
