import EventLoop

/// Received bytes not yet used: a window into a slab that is borrowed from the loop's pool only while it holds some.
final class ReceiveBuffer {
    private let pool: BufferPool
    private var slab: UnsafeMutableRawBufferPointer?
    private var start = 0
    private var end = 0

    init(pool: BufferPool) { self.pool = pool }

    deinit { if let slab { pool.giveBack(slab) } }

    var count: Int { end - start }
    var isEmpty: Bool { start == end }

    /// The bytes held. Valid until the next call that changes the buffer.
    var bytes: UnsafeBufferPointer<UInt8> {
        guard let slab else { return UnsafeBufferPointer(start: nil, count: 0) }
        return UnsafeBufferPointer(
            UnsafeMutableRawBufferPointer(rebasing: slab[start..<end]).assumingMemoryBound(to: UInt8.self))
    }

    /// Room to receive into: moves what is held to the front, and doubles the slab when it is full.
    func room() -> UnsafeMutableRawBufferPointer {
        let current: UnsafeMutableRawBufferPointer
        if let slab {
            current = slab
        } else {
            current = pool.take()
            slab = current
        }
        if end < current.count { return UnsafeMutableRawBufferPointer(rebasing: current[end...]) }
        if start > 0 {
            current.copyMemory(from: UnsafeRawBufferPointer(rebasing: current[start..<end]))
            end -= start
            start = 0
            return UnsafeMutableRawBufferPointer(rebasing: current[end...])
        }
        let larger = UnsafeMutableRawBufferPointer.allocate(byteCount: current.count * 2, alignment: 16)
        larger.copyMemory(from: UnsafeRawBufferPointer(rebasing: current[..<end]))
        pool.giveBack(current)
        slab = larger
        return UnsafeMutableRawBufferPointer(rebasing: larger[end...])
    }

    func received(_ count: Int) { end += count }

    func consume(_ count: Int) {
        start += count
        if start == end {
            start = 0
            end = 0
        }
    }

    /// Gives the slab back when nothing is held.
    func releaseIfEmpty() {
        guard isEmpty, let slab else { return }
        pool.giveBack(slab)
        self.slab = nil
    }
}
