import Runtimes

/// Why an inference or a change of the repository was refused.
package struct InferenceError: Error, Sendable, Equatable {
    package enum Code: Sendable {
        /// No model, or no version of it, has this name.
        case notFound
        /// The request does not fit the model or is malformed.
        case invalid
        /// The feature is known and not offered.
        case unsupported
        /// A model could not be loaded.
        case loadFailed
        /// A queue is full.
        case overloaded
        /// The request waited longer than it may.
        case timedOut
        /// The runtime, the model or its store cannot be reached now.
        case unavailable
        /// The runtime failed: the model's fault or ours.
        case failed
    }

    package let code: Code
    package let message: String

    package init(_ code: Code, _ message: String) {
        self.code = code
        self.message = message
    }
}
