import Formats

/// The error answer of a worker: `{"code": "invalid", "message": ".."}`.
enum WorkerFault {
    static func read(_ bytes: [UInt8]) -> WorkerError {
        guard let fault = try? JSON.parse(bytes), let message = fault["message"]?.stringValue else {
            return WorkerError(.failed, "the worker's error is not understood")
        }
        switch fault["code"]?.stringValue {
        case "invalid": return WorkerError(.invalid, message)
        case "load_failed": return WorkerError(.loadFailed, message)
        default: return WorkerError(.failed, message)
        }
    }
}
