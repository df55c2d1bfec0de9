/// Why a tracking or registry operation was refused.
package struct TrackingError: Error, Sendable, CustomStringConvertible {
    /// The closed set of reasons; an API maps each to its own code and status.
    package enum Code: Sendable, Hashable {
        case invalidParameterValue
        case resourceDoesNotExist
        case resourceAlreadyExists
        case permissionDenied
        case notImplemented
        /// The same call may succeed a little later.
        case temporarilyUnavailable
        /// The call may have been stored or not, and a client must look before it repeats it.
        case outcomeUnknown
        /// A fault of ours or of the disk; the message is for the log.
        case internalError
    }

    package let code: Code
    /// For the client, except with `.internalError`: names the thing, the reason and the way out.
    package let message: String

    package init(_ code: Code, _ message: String) {
        self.code = code
        self.message = message
    }

    package static func invalid(_ message: String) -> TrackingError { TrackingError(.invalidParameterValue, message) }
    package static func missing(_ message: String) -> TrackingError { TrackingError(.resourceDoesNotExist, message) }

    package var description: String { "\(message) (\(code))" }
}
