/// Why a worker did not answer a request, or did not load its model.
package struct WorkerError: Error, Sendable, Equatable {
    package enum Code: Sendable {
        /// The model refused the input.
        case invalid
        /// The model failed while it computed, or its result has no JSON form.
        case failed
        /// The model could not be loaded.
        case loadFailed
        /// The process ended while it worked on this request.
        case died
        /// No answer within the time allowed; the process was ended.
        case timedOut
        /// As many requests as may wait do.
        case overloaded
        /// No process serves now: the last one died and the next has not loaded the model yet.
        case unavailable
        /// The pool takes nothing more; its successor does.
        case retired
    }

    package let code: Code
    /// One clause that begins in lower case and names no path of the server.
    package let message: String

    package init(_ code: Code, _ message: String) {
        self.code = code
        self.message = message
    }
}
