// File bytes on their way to a socket. What is in the page cache is read on the loop, which costs less than a hop; what
// the disk must give first is read by a thread, so that a cold file never stops the loop's other connections.

/// Reads of files that may not be in memory. Call on a loop.
package enum FileReads {
    private static let pool = BlockingPool(name: "file-reads", threadCount: 4)

    /// Up to `count` bytes from `offset`; empty at the end of the file or when it cannot be read.
    package static func read(_ file: Int32, offset: Int64, count: Int) async -> [UInt8] {
        var isCold = false
        let bytes = [UInt8](unsafeUninitializedCapacity: count) { space, filled in
            let read = System.readCached(file, UnsafeMutableRawBufferPointer(space), offset: offset)
            isCold = read == nil
            filled = max(0, read ?? 0)
        }
        guard isCold else { return bytes }
        let body: @Sendable () -> [UInt8] = { readWaiting(file, offset: offset, count: count) }
        return (try? await pool.run(body)) ?? readWaiting(file, offset: offset, count: count)
    }

    /// Brings `count` bytes from `offset` into memory unless probes find them there: at the end, and every 256 KiB of a
    /// longer part, since the kernel reads ahead in large steps.
    static func bringIn(_ file: Int32, offset: Int64, count: Int) async {
        guard !isCached(file, offset: offset, count: count) else { return }
        // A full queue only means that the loop itself waits for the disk.
        try? await pool.run { _ = readWaiting(file, offset: offset, count: count) }
    }

    private static func isCached(_ file: Int32, offset: Int64, count: Int) -> Bool {
        let isThere = { (position: Int64) in
            var byte: UInt8 = 0
            return withUnsafeMutableBytes(of: &byte) { System.readCached(file, $0, offset: position) } != nil
        }
        guard isThere(offset + Int64(count) - 1) else { return false }
        guard count > 256 * 1024 else { return true }
        return stride(from: 0, to: count, by: 256 * 1024).allSatisfy { isThere(offset + Int64($0)) }
    }

    private static func readWaiting(_ file: Int32, offset: Int64, count: Int) -> [UInt8] {
        [UInt8](unsafeUninitializedCapacity: count) { space, filled in
            filled = max(0, System.readFile(file, UnsafeMutableRawBufferPointer(space), offset: offset))
        }
    }
}
