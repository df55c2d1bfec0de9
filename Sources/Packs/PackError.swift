import Archives
import PythonWorkers

/// Why a pack did not do what was asked.
package struct PackError: Error, Sendable, Equatable {
    package enum Code: Sendable, CaseIterable {
        /// The request is malformed, or the model refused its input.
        case invalid
        /// No model is loaded.
        case notLoaded
        /// Models come after sources, and there are none.
        case sourcesMissing
        /// What was asked for is not in the storage.
        case notFound
        /// The pack in the storage cannot be used: a damaged zip, a wrong date, a missing class.
        case packInvalid
        /// The storage cannot be reached or refuses us.
        case storageFailed
        /// No storage is configured.
        case unconfigured
        /// Too much waits.
        case overloaded
        /// No answer in time.
        case timedOut
        /// The worker is gone and the next is not there yet.
        case unavailable
        /// The model failed while it computed, or died.
        case failed
    }

    package let code: Code
    package let message: String

    package init(_ code: Code, _ message: String) {
        self.code = code
        self.message = message
    }

    /// A worker's refusal of a request.
    init(_ error: WorkerError, model: String) {
        let text = "model \"\(model)\": \(error.message)"
        switch error.code {
        case .invalid: self.init(.invalid, text)
        case .failed, .died: self.init(.failed, text)
        case .loadFailed: self.init(.packInvalid, text)
        case .timedOut: self.init(.timedOut, text)
        case .overloaded: self.init(.overloaded, text)
        case .unavailable, .retired: self.init(.unavailable, text)
        }
    }

    /// What is wrong with a zip.
    init(_ error: ArchiveError, file: String) {
        self.init(error.code == .failed ? .failed : .packInvalid, "\(file) cannot be used: \(error.message)")
    }
}
