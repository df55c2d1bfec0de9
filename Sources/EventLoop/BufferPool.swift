/// A free list of 16 KiB slabs for receiving. Confined to its loop, so a connection that waits for its next request
/// holds no buffer and an idle one costs little.
package final class BufferPool: @unchecked Sendable {
    package static let slabBytes = 16 * 1024
    private var free: [UnsafeMutableRawBufferPointer] = []
    private let keptMax = 64

    init() {}

    package func take() -> UnsafeMutableRawBufferPointer {
        free.popLast() ?? .allocate(byteCount: Self.slabBytes, alignment: 16)
    }

    package func giveBack(_ slab: UnsafeMutableRawBufferPointer) {
        if free.count < keptMax, slab.count == Self.slabBytes { free.append(slab) } else { slab.deallocate() }
    }

    deinit { for slab in free { slab.deallocate() } }
}
