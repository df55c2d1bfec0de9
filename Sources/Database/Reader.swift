import Clock

/// A reading thread's loop: one snapshot a closure, bounded in time.
struct Reader {
    /// How often a closure is begun when connections to a server break.
    static let attemptCountMax = 3

    let connection: DatabaseConnection
    let timeoutMilliseconds: UInt64

    func run(_ queue: JobQueue<DatabaseJob>) {
        while let job = queue.take(countMax: 1).first { job.finish(serve(job)) }
    }

    /// Runs one closure. Returns why it came to nothing, or nil when its own result stands.
    private func serve(_ job: DatabaseJob) -> DatabaseError? {
        var attempt = 1
        while true {
            do throws(DatabaseError) {
                try read(job)
                return nil
            } catch {
                connection.rollback()
                guard error.code == .connectionLost, attempt < Self.attemptCountMax else { return error }
                attempt += 1
                do throws(DatabaseError) { try connection.reconnect() } catch { return error }
            }
        }
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
