/// Character classes of the text protocols.
@usableFromInline
package enum ASCII {
    @inlinable
    package static func lowercase(_ byte: UInt8) -> UInt8 {
        byte &- UInt8(ascii: "A") < 26 ? byte | 0x20 : byte
    }

    /// `tchar` of RFC 9110 section 5.6.2.
    @inlinable
    package static func isToken(_ byte: UInt8) -> Bool {
        byte < 128 && (byte < 64 ? tokenLow : tokenHigh) >> UInt64(byte & 63) & 1 == 1
    }

    // Bit n is set when byte n (low) or 64+n (high) is a tchar: !#$%&'*+-.^_`|~ digits and letters.
    @usableFromInline static let tokenLow: UInt64 = 0x03ff_6cfa_0000_0000
    @usableFromInline static let tokenHigh: UInt64 = 0x57ff_ffff_c7ff_fffe

    @inlinable
    package static func isDigit(_ byte: UInt8) -> Bool { byte &- UInt8(ascii: "0") < 10 }

    /// True for a letter or digit of ASCII.
    @inlinable
    package static func isAlphanumeric(_ byte: UInt8) -> Bool {
        isDigit(byte) || lowercase(byte) &- UInt8(ascii: "a") < 26
    }

    /// The decimal number in `bytes`: digits only, at most 18 of them; nil otherwise.
    @inlinable
    package static func decimal(_ bytes: some Collection<UInt8>) -> Int? {
        guard !bytes.isEmpty, bytes.count <= 18 else { return nil }
        var value = 0
        for byte in bytes {
            guard isDigit(byte) else { return nil }
            value = value * 10 + Int(byte - UInt8(ascii: "0"))
        }
        return value
    }
}
