import Synchronization

/// Counts since the database was opened.
package final class DatabaseStatistics: Sendable {
    private let commitCounter = Atomic<Int>(0)
    private let writeCounter = Atomic<Int>(0)

    /// Transactions committed, each one fsync.
    package var commitCount: Int { commitCounter.load(ordering: .relaxed) }
    /// Closures whose changes were committed.
    package var writeCount: Int { writeCounter.load(ordering: .relaxed) }

    func recordCommit(writeCount: Int) {
        commitCounter.add(1, ordering: .relaxed)
        writeCounter.add(writeCount, ordering: .relaxed)
    }
}
