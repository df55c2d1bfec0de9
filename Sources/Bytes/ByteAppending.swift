// Appending text and numbers to a byte buffer without Foundation and without building strings first.
// Every wire format of the product is written through these few operations.

extension [UInt8] {
    /// Appends the UTF-8 bytes of `text`. Disfavoured, so that a literal is taken as a `StaticString`.
    @_disfavoredOverload
    @inlinable
    package mutating func append(_ text: String) {
        append(contentsOf: text.utf8)
    }

    /// Appends the bytes of a literal, without creating a `String`.
    @inlinable
    package mutating func append(_ literal: StaticString) {
        literal.withUTF8Buffer { append(contentsOf: $0) }
    }

    /// Appends `value` in decimal.
    @inlinable
    package mutating func append(decimal value: some BinaryInteger) {
        if value < 0 { append(UInt8(ascii: "-")) }
        var rest = UInt64(value.magnitude)
        var digitCount = 1
        var bound: UInt64 = 10
        while rest >= bound {
            digitCount += 1
            let (next, overflow) = bound.multipliedReportingOverflow(by: 10)
            if overflow { break }
            bound = next
        }
        let start = count
        for _ in 0..<digitCount { append(UInt8(ascii: "0")) }
        var index = start + digitCount
        while rest > 0 {
            index -= 1
            self[index] = UInt8(ascii: "0") &+ UInt8(truncatingIfNeeded: rest % 10)
            rest /= 10
        }
    }

    /// Appends `value` in decimal, left-padded with zeros to `width` digits.
    @inlinable
    package mutating func append(decimal value: Int, width: Int) {
        var divisor = 1
        for _ in 1..<Swift.max(width, 1) { divisor *= 10 }
        var rest = value
        while divisor > 0 {
            append(UInt8(ascii: "0") &+ UInt8(truncatingIfNeeded: rest / divisor % 10))
            rest %= divisor
            divisor /= 10
        }
    }

    /// Appends `value` in lower-case hexadecimal without leading zeros.
    @inlinable
    package mutating func append(hexadecimal value: UInt64) {
        var shift = value == 0 ? 0 : (63 - value.leadingZeroBitCount) / 4 * 4
        while shift >= 0 {
            append(Hex.digits[Int(truncatingIfNeeded: value >> UInt64(shift)) & 15])
            shift -= 4
        }
    }
}

extension String {
    /// The text of UTF-8 `bytes`; ill-formed sequences become U+FFFD.
    @inlinable
    package init(utf8 bytes: some Collection<UInt8>) {
        self.init(decoding: bytes, as: UTF8.self)
    }

    /// The text of UTF-8 `bytes`, or nil when they are not well-formed.
    @inlinable
    package init?(validUTF8 bytes: some Collection<UInt8>) {
        self.init(validating: bytes, as: UTF8.self)
    }
}
