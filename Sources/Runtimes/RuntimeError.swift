/// Why a model runtime could not do what was asked.
package struct RuntimeError: Error, Sendable, Equatable {
    package enum Code: Sendable, Equatable {
        /// The runtime's library is missing or cannot be loaded.
        case unavailable
        /// The model file is broken, or uses what the runtime does not have.
        case badModel
        /// The runtime refused the inputs: their values, or a shape the model's metadata did not rule out.
        case badInput
        /// Running failed.
        case failed
    }

    package let code: Code
    package let message: String

    package init(_ code: Code, _ message: String) {
        self.code = code
        self.message = message
    }
}
