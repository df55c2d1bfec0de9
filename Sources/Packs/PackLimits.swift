import Archives
package import PythonWorkers

/// Every bound of a pack, with its default.
package struct PackLimits: Sendable {
    /// Bytes of a zip.
    package var zipBytesMax: Int64 = 16 << 30
    var archive = ArchiveLimits()
    package var workers = WorkerLimits()
    /// Downloads and loads that wait for their turn.
    package var controlCountMax = 8

    /// Bytes that one zip may unpack to.
    package var unpackedBytesMax: Int64 {
        get { archive.bytesMax }
        set { archive.bytesMax = newValue }
    }

    package init() {}
}
