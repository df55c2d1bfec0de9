import Clock

/// A reading thread's loop: one snapshot a closure, bounded in time.
struct Reader {
    let connection: DatabaseConnection
    let timeoutMilliseconds: UInt64

    func run(_ queue: JobQueue<DatabaseJob>) {
        while let job = queue.take(countMax: 1).first { job.finish(serve(job)) }
    }

    /// Runs one closure. Returns why it came to nothing, or nil when its own result stands.
    private func serve(_ job: DatabaseJob) -> DatabaseError? {
        connection.untilConnected { () throws(DatabaseError) in try read(job) }
    }

    private func read(_ job: DatabaseJob) throws(DatabaseError) {
        connection.setDeadline(MonotonicTime.now.advanced(milliseconds: timeoutMilliseconds))
        defer { connection.setDeadline(nil) }
        // A transaction gives all statements of the closure the same view.
        try connection.beginReading()
        _ = job.run(connection)
        connection.setDeadline(nil)
        try connection.endReading()
    }
}
