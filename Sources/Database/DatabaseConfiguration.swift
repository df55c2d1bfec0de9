/// The bounds of one database.
package struct DatabaseConfiguration: Sendable {
    /// Threads that read, each with its own connection.
    package var readerCount = 2
    /// Closures that may wait for the writer, and for the readers. Over it: `DatabaseError.queueFull`.
    package var backlogCountMax = 8192
    /// How long one reading closure may run. Over it: `DatabaseError.timeout`.
    package var readTimeoutMilliseconds: UInt64 = 30_000
    /// Page cache of each connection.
    package var cacheKibibytes = 8192

    package init() {}
}
