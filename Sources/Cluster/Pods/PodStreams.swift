import EventLoop

extension ByteStream {
    /// The next bytes that a pod sends; nil at the end, after a failure, or once `goesOn` says no.
    func nextBytes(withinMilliseconds milliseconds: UInt64, while goesOn: () -> Bool = { true }) async -> [UInt8]? {
        while goesOn() {
            guard let bytes = arrivedBytes() else { return nil }
            if !bytes.isEmpty { return bytes }
            guard (try? await waitReadable(timeoutMilliseconds: milliseconds)) != nil else { return nil }
        }
        return nil
    }

    /// What has arrived; empty when nothing has, nil at the end. What lies in a pipe is read also after its end.
    private func arrivedBytes() -> [UInt8]? {
        let slab = loop.buffers.take()
        defer { loop.buffers.giveBack(slab) }
        switch receiveNow(slab) {
        case .bytes(let count): return Array(slab.prefix(count))
        case .wouldBlock: return []
        case .closed, .failed: return nil
        }
    }
}
