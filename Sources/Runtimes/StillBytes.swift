/// The bytes of several tensors at addresses that stand still.
enum StillBytes {
    /// Calls `body` with the bytes of each tensor, aligned to its elements. Recursive, since the memory of an array may
    /// only be used inside a closure.
    static func of(
        _ tensors: ArraySlice<Tensor>, _ collected: [UnsafeRawBufferPointer] = [],
        _ body: ([UnsafeRawBufferPointer]) throws(RuntimeError) -> Void
    ) throws(RuntimeError) {
        guard let tensor = tensors.first else { return try body(collected) }
        var failure: RuntimeError?
        tensor.data.withUnsafeBytes { bytes in
            do throws(RuntimeError) {
                if Int(bitPattern: bytes.baseAddress).isMultiple(of: tensor.type.width ?? 1) {
                    try of(tensors.dropFirst(), collected + [bytes], body)
                } else {
                    // A tensor behind an odd-sized header; vector code wants aligned elements.
                    let copy = UnsafeMutableRawBufferPointer.allocate(byteCount: max(bytes.count, 1), alignment: 64)
                    defer { copy.deallocate() }
                    copy.copyMemory(from: bytes)
                    try of(
                        tensors.dropFirst(), collected + [UnsafeRawBufferPointer(rebasing: copy[..<bytes.count])], body)
                }
            } catch {
                failure = error
            }
        }
        if let failure { throw failure }
    }
}
