// Rows that survive a crash, in a file (SQLite with a write-ahead log) or on a server (PostgreSQL): one writing thread
// with group commit, several reading threads, everything bounded. Nothing above this target knows which it is.

import EventLoop
import Synchronization

/// An open database. Share it freely; calls suspend and never block the caller's thread.
package final class Database: Sendable {
    package let statistics = DatabaseStatistics()
    private let writes: JobQueue<DatabaseJob>
    private let reads: JobQueue<DatabaseJob>
    private let threads = ThreadCount()

    /// Opens the file at `path`, made when it is missing, and brings its schema to the last of `migrations`.
    ///
    /// Blocks while it does: for start-up only. Throws `DatabaseError`.
    package convenience init(
        path: String, migrations: [Migration], configuration: DatabaseConfiguration = DatabaseConfiguration()
    ) throws {
        try self.init(location: .file(path), migrations: migrations, configuration: configuration)
    }

    /// Opens the database at `location` and brings its schema to the last of `migrations`.
    ///
    /// Blocks while it does: for start-up only. Throws `DatabaseError`.
    package init(
        location: DatabaseLocation, migrations: [Migration],
        configuration: DatabaseConfiguration = DatabaseConfiguration()
    ) throws {
        let writer: DatabaseConnection
        var readers: [DatabaseConnection] = []
        switch location {
        case .file(let path):
            let file = try SQLiteConnection.opening(path, cacheKibibytes: configuration.cacheKibibytes)
            writer = DatabaseConnection(.sqlite(file))
            try Migration.apply(migrations, to: writer)
            try file.syncFolder()
            for _ in 0..<configuration.readerCount {
                let reader = try SQLiteConnection(
                    path: path, readOnly: true, cacheKibibytes: configuration.cacheKibibytes)
                readers.append(DatabaseConnection(.sqlite(reader)))
            }
        case .server(let address):
            writer = DatabaseConnection(.postgres(try PostgresConnection(address, .writing)))
            try Migration.apply(migrations, to: writer)
            let purpose = PostgresPurpose.reading(timeoutMilliseconds: configuration.readTimeoutMilliseconds)
            for _ in 0..<configuration.readerCount {
                readers.append(DatabaseConnection(.postgres(try PostgresConnection(address, purpose))))
            }
        }
        writes = JobQueue(countMax: configuration.backlogCountMax)
        reads = JobQueue(countMax: configuration.backlogCountMax)
        start("db-writer", Writer(connection: writer, statistics: statistics), writes) { $0.run($1) }
        for reader in readers {
            let timeout = configuration.readTimeoutMilliseconds
            start("db-reader", Reader(connection: reader, timeoutMilliseconds: timeout), reads) { $0.run($1) }
        }
    }

    /// Gives `worker`, and the connection that it owns, to a thread of its own.
    private func start<Worker>(
        _ name: String, _ worker: Worker, _ queue: JobQueue<DatabaseJob>,
        _ run: @escaping @Sendable (Worker, JobQueue<DatabaseJob>) -> Void
    ) {
        let handoff = Handoff(worker)
        let threads = threads
        threads.running.add(1, ordering: .relaxed)
        Thread.start(name: name) {
            if let worker = handoff.take() { run(worker, queue) }
            threads.running.subtract(1, ordering: .releasing)
        }
    }

    deinit {
        writes.close()
        reads.close()
    }

    /// Runs `body` on the writing thread and returns once its changes are on the disk.
    ///
    /// Bodies of several callers share one commit; one that throws is undone alone. `body` must not block on anything
    /// but its statements, and may run again when a server's connection broke before anything was stored.
    /// Throws what `body` throws, or `DatabaseError` (`.queueFull` when `backlogCountMax` wait).
    @discardableResult
    package func write<Value: Sendable>(
        _ body: @escaping @Sendable (DatabaseConnection) throws -> Value
    ) async throws -> Value {
        try await submit(body, to: writes)
    }

    /// Runs `body` on a reading thread; its statements see one state of the database.
    ///
    /// Throws what `body` throws, or `DatabaseError` (`.timeout` when it runs too long).
    package func read<Value: Sendable>(
        _ body: @escaping @Sendable (DatabaseConnection) throws -> Value
    ) async throws -> Value {
        try await submit(body, to: reads)
    }

    /// Finishes what is queued, then closes every connection. Calls after it throw `.closed`.
    package func close() async {
        // The writer goes last: only a connection that may write folds the log into the file when no other is left.
        reads.close()
        while threads.running.load(ordering: .acquiring) > 1 { try? await Task.sleep(nanoseconds: 1_000_000) }
        writes.close()
        while threads.running.load(ordering: .acquiring) > 0 { try? await Task.sleep(nanoseconds: 1_000_000) }
    }

    private func submit<Value: Sendable>(
        _ body: @escaping @Sendable (DatabaseConnection) throws -> Value, to queue: JobQueue<DatabaseJob>
    ) async throws -> Value {
        try await withUnsafeThrowingContinuation { (continuation: UnsafeContinuation<Value, any Error>) in
            switch queue.push(DatabaseJob(body, continuation)) {
            case nil: break
            case .full: continuation.resume(throwing: DatabaseError(.queueFull, "too many calls wait for the database"))
            case .closed: continuation.resume(throwing: DatabaseError(.closed, "the database is closed"))
            }
        }
    }
}

/// How many threads of a database still run.
private final class ThreadCount: Sendable {
    let running = Atomic<Int>(0)
}

/// Carries a value to the one thread that will own it.
///
/// `@unchecked Sendable`: made on one thread, emptied once by the other after `pthread_create`, which orders the two.
private final class Handoff<Value>: @unchecked Sendable {
    private var value: Value?
    init(_ value: Value) { self.value = value }

    func take() -> Value? {
        defer { value = nil }
        return value
    }
}
