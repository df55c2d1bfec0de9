// Group commit. One thread owns the only writing connection. It takes every closure that waits, runs each inside its own
// savepoint of one transaction, commits once (one fsync of the write-ahead log), and only then resumes the callers. While
// one commit is on its way to the disk the next group gathers, so the more callers, the fewer commits a write costs.

import Synchronization

/// One caller's closure, with its result kept until the commit is known.
struct DatabaseJob: Sendable {
    /// Does the work. False when the closure threw: its changes are to be rolled back.
    let run: @Sendable (DatabaseConnection) -> Bool
    /// Resumes the caller with what `run` gave, or with the error when the group came to nothing.
    let finish: @Sendable (DatabaseError?) -> Void

    init<Value: Sendable>(
        _ body: @escaping @Sendable (DatabaseConnection) throws -> Value,
        _ continuation: UnsafeContinuation<Value, any Error>
    ) {
        let outcome = Outcome<Value>()
        run = { connection in
            let result = Result { try body(connection) }
            outcome.result.withLock { $0 = result }
            if case .success = result { return true }
            return false
        }
        finish = { error in
            if let error { return continuation.resume(throwing: error) }
            continuation.resume(with: outcome.result.withLock { $0 } ?? .failure(DatabaseError(.closed, "never ran")))
        }
    }

    private final class Outcome<Value: Sendable>: Sendable {
        let result = Mutex<Result<Value, any Error>?>(nil)
    }
}

/// The writing thread's loop.
struct Writer {
    /// Jobs in one transaction. Bounds how long the first of a group waits.
    static let groupCountMax = 512

    let connection: DatabaseConnection
    let statistics: DatabaseStatistics

    /// Commits groups until the queue is closed and drained.
    func run(_ queue: JobQueue<DatabaseJob>) {
        while true {
            let group = queue.take(countMax: Self.groupCountMax)
            if group.isEmpty { break }
            let problem = store(group)
            for job in group { job.finish(problem) }
        }
        connection.finishWriting()
    }

    /// Commits a group. Returns why it came to nothing, or nil when each job's own result stands.
    private func store(_ group: ArraySlice<DatabaseJob>) -> DatabaseError? {
        // Only a group of which nothing is stored begins anew: one whose fate is unknown, which has another code, could
        // be stored twice.
        connection.untilConnected { () throws(DatabaseError) in try commit(group) }
    }

    /// Runs every job and commits those that did not throw.
    ///
    /// Throws when the transaction as a whole failed (busy, disk full, input/output error): then nothing is stored.
    private func commit(_ group: ArraySlice<DatabaseJob>) throws(DatabaseError) {
        try connection.beginWriting()
        // A job that is alone is undone with its transaction.
        let isShared = group.count > 1
        var doneCount = 0
        for job in group {
            if isShared { try connection.openSavepoint() }
            let isDone = job.run(connection)
            try connection.checkTransaction()
            if isShared { try connection.closeSavepoint(keeping: isDone) }
            doneCount += isDone ? 1 : 0
        }
        guard doneCount > 0 else { return connection.rollback() }
        try connection.commit()
        statistics.recordCommit(writeCount: doneCount)
    }
}
