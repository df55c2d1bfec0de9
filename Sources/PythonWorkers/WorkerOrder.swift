package import Log

/// What a worker is started with.
package struct WorkerOrder: Sendable {
    package let interpreter: PythonInterpreter
    /// Where the worker's program is written and what the process begins in; removed when the pool has ended.
    package let workspace: String
    /// The only variables that the process gets: credentials of the server are not among them.
    package let environment: [String: String]
    /// The load request: JSON that `worker.py` understands.
    package let load: [UInt8]
    /// Where its output goes.
    package let log: RotatingFile
    package let instanceCount: Int

    package init(
        interpreter: PythonInterpreter, workspace: String, environment: [String: String], load: [UInt8],
        log: RotatingFile, instanceCount: Int
    ) {
        self.interpreter = interpreter
        self.workspace = workspace
        self.environment = environment
        self.load = load
        self.log = log
        self.instanceCount = instanceCount
    }
}
