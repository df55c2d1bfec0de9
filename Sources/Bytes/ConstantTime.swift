/// Comparison of secrets whose duration does not depend on where they differ.
@usableFromInline
package enum ConstantTime {
    /// True when both hold the same bytes. Only the length can be learned from the time taken.
    @inline(never)
    @inlinable
    package static func equal(_ left: some Collection<UInt8>, _ right: some Collection<UInt8>) -> Bool {
        guard left.count == right.count else { return false }
        var difference: UInt8 = 0
        for (a, b) in zip(left, right) { difference |= a ^ b }
        return difference == 0
    }
}
