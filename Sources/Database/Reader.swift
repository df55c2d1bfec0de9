import Clock

/// A reading thread's loop: one snapshot a closure, bounded in time.
struct Reader {
    let connection: DatabaseConnection
    let timeoutMilliseconds: UInt64

    func run(_ queue: JobQueue<DatabaseJob>) {
        while let job = queue.take(countMax: 1).first {
            connection.setDeadline(MonotonicTime.now.advanced(milliseconds: timeoutMilliseconds))
            do {
                // A transaction gives all statements of the closure the same view.
                try connection.execute("BEGIN")
                _ = job.run(connection)
                connection.setDeadline(nil)
                if !connection.isAutocommit { try connection.execute("COMMIT") }
                job.finish(nil)
            } catch {
                connection.setDeadline(nil)
                if !connection.isAutocommit { _ = try? connection.execute("ROLLBACK") }
                job.finish(error)
            }
        }
    }
}
