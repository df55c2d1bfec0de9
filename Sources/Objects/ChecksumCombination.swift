// The CRC of a concatenation from the CRCs of its halves, so that completing a multipart upload with a FULL_OBJECT
// checksum reads none of the data. Appending n zero bytes to a message multiplies its CRC register by x^(8n) modulo
// the polynomial; that power is found by repeated squaring, in O(log n).
//
// Polynomials are kept reflected (bit 0 is the highest power), as the CRCs themselves are.

/// Combines reflected CRCs of one polynomial with initial value and final xor of all ones.
struct ChecksumCombination {
    private let polynomial: UInt64
    private let width: UInt64

    /// Nil for digests that cannot be combined.
    init?(_ algorithm: ChecksumAlgorithm) {
        switch algorithm {
        case .crc32: (polynomial, width) = (0xedb8_8320, 32)
        case .crc32c: (polynomial, width) = (0x82f6_3b78, 32)
        case .crc64nvme: (polynomial, width) = (0x9a6c_9329_ac4b_c9b5, 64)
        case .sha1, .sha256: return nil
        }
    }

    /// The CRC of `left` followed by `right`, where `right` has `rightBytes` bytes.
    func combine(_ left: UInt64, _ right: UInt64, rightBytes: Int64) -> UInt64 {
        multiply(powerOfX(bits: UInt64(rightBytes) * 8), left) ^ right
    }

    /// x^bits modulo the polynomial.
    private func powerOfX(bits: UInt64) -> UInt64 {
        var result = UInt64(1) << (width - 1)
        var factor = UInt64(1) << (width - 2)
        var rest = bits
        while rest > 0 {
            if rest & 1 == 1 { result = multiply(result, factor) }
            factor = multiply(factor, factor)
            rest >>= 1
        }
        return result
    }

    /// The product of two polynomials modulo the polynomial, all reflected.
    private func multiply(_ left: UInt64, _ right: UInt64) -> UInt64 {
        var product: UInt64 = 0
        var shifted = right
        var bit = UInt64(1) << (width - 1)
        while bit != 0 {
            if left & bit != 0 { product ^= shifted }
            shifted = shifted & 1 == 1 ? shifted >> 1 ^ polynomial : shifted >> 1
            bit >>= 1
        }
        return product
    }
}
