/// Why a patch cannot be applied.
struct PatchError: Error, Equatable {
    enum Code {
        /// The patch itself is malformed.
        case malformed
        /// It is well-formed and does not fit the object.
        case notApplicable
    }

    let code: Code
    let message: String

    init(_ code: Code, _ message: String) {
        self.code = code
        self.message = message
    }
}
