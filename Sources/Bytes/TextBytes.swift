// Finding ASCII in text, byte by byte. `String` compares characters, and a combining mark (or a line feed after a carriage
// return) joins the character before it: "../\u{301}x" holds no "/" for `split`, `contains` and `hasPrefix`, but it does
// for the kernel and for every protocol. Whatever divides or refuses text from outside asks here.

extension StringProtocol {
    /// The texts between each `separator`, which is ASCII; as `split(separator:)` in all else.
    @inlinable
    package func pieces(
        by separator: Unicode.Scalar, maxSplits: Int = .max, omittingEmptySubsequences: Bool = true
    ) -> [SubSequence] {
        // Each bound lies beside an ASCII byte, so that none divides a scalar.
        utf8.split(
            separator: UInt8(ascii: separator), maxSplits: maxSplits,
            omittingEmptySubsequences: omittingEmptySubsequences
        ).map { self[$0.startIndex..<$0.endIndex] }
    }

    @inlinable
    package func holds(_ byte: Unicode.Scalar) -> Bool { utf8.contains(UInt8(ascii: byte)) }

    @inlinable
    package func starts(withBytesOf prefix: some StringProtocol) -> Bool { utf8.starts(with: prefix.utf8) }

    /// What comes after `prefix`, which it begins with.
    @inlinable
    package func dropping(bytesOf prefix: some StringProtocol) -> SubSequence {
        self[(utf8.index(startIndex, offsetBy: prefix.utf8.count, limitedBy: endIndex) ?? endIndex)...]
    }

    /// Where `byte`, which is ASCII, is first.
    @inlinable
    package func firstPlace(of byte: Unicode.Scalar) -> Index? { utf8.firstIndex(of: UInt8(ascii: byte)) }
}

extension StringProtocol where UTF8View: BidirectionalCollection {
    /// Where `byte`, which is ASCII, is last.
    @inlinable
    package func lastPlace(of byte: Unicode.Scalar) -> Index? { utf8.lastIndex(of: UInt8(ascii: byte)) }
}
