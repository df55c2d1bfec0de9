/// Why a model runtime could not do what it was asked.
package struct RuntimeError: Error, Sendable, Equatable {
    package enum Code: Sendable {
        /// The library is not installed, or is not one that is understood.
        case libraryMissing
        /// The model file is missing, damaged, or needs something that is not offered.
        case modelInvalid
        /// The inputs do not fit the model in a way only the runtime could see.
        case inputInvalid
        /// The runtime failed while it computed.
        case failed
    }

    package let code: Code
    package let message: String

    package init(_ code: Code, _ message: String) {
        self.code = code
        self.message = message
    }
}
