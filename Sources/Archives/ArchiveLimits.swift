/// Every bound of unpacking, with its default.
package struct ArchiveLimits: Sendable {
    /// Files and folders of one archive.
    package var entryCountMax = 10_000
    /// Unpacked bytes of all files together: what stops a bomb.
    package var bytesMax: Int64 = 8 << 30
    /// Bytes of one entry's name, and of each of its components.
    package var nameBytesMax = 1024
    package var componentBytesMax = 255
    /// Folders within folders.
    package var depthMax = 32

    package init() {}
}

/// What was unpacked.
package struct ArchiveSummary: Sendable, Equatable {
    package var fileCount = 0
    package var bytes: Int64 = 0
}
