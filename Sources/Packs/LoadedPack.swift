package import PythonWorkers

/// A model that is loaded: its workers and what it was made of.
package final class LoadedPack: Sendable {
    package let pool: WorkerPool
    /// The model's file, such as `20201104.zip`.
    package let model: String
    package let warnings: [String]
    /// The version of the Python that runs it.
    package let python: String

    init(pool: WorkerPool, model: String, warnings: [String], python: String) {
        self.pool = pool
        self.model = model
        self.warnings = warnings
        self.python = python
    }
}
