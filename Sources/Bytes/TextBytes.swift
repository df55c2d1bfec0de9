// Finding ASCII in text, byte by byte. `String` compares characters, and a combining mark (or a line feed after a carriage
// return) joins the character before it: "../\u{301}x" holds no "/" for `split`, `contains` and `hasPrefix`, but it does
// for the kernel and for every protocol. Whatever divides or refuses text from outside asks here. Nothing gives an
// index: `index(after:)` steps over whole characters.

extension StringProtocol {
    /// The texts between each `separator`, which is ASCII; as `split(separator:)` in all else.
    @inlinable
    package func pieces(
        by separator: Unicode.Scalar, maxSplits: Int = .max, omittingEmptySubsequences: Bool = true
    ) -> [SubSequence] {
        // Each bound lies beside an ASCII byte, so that none divides a scalar. Not by `split` of the bytes, whose slices would
        // be a second array: this runs for each request.
        let (bytes, byte, end) = (utf8, UInt8(ascii: separator), endIndex)
        var pieces: [SubSequence] = []
        var (start, index) = (startIndex, startIndex)
        while index != end, pieces.count < maxSplits {
            let next = bytes.index(after: index)
            if bytes[index] == byte {
                if start != index || !omittingEmptySubsequences { pieces.append(self[start..<index]) }
                start = next
            }
            index = next
        }
        if start != end || !omittingEmptySubsequences { pieces.append(self[start...]) }
        return pieces
    }
}

extension StringProtocol where UTF8View: BidirectionalCollection {
    /// The lines, without their ends (LF or CRLF), empty ones too.
    package var lines: [SubSequence] {
        pieces(by: "\n", omittingEmptySubsequences: false).map { line in
            line.utf8.suffix(1).elementsEqual("\r".utf8)
                ? self[line.startIndex..<utf8.index(before: line.endIndex)] : line
        }
    }

    /// What stands before and after the first `separator`, which is ASCII; nil when there is none.
    @inlinable
    package func divided(atFirst separator: Unicode.Scalar) -> (before: SubSequence, after: SubSequence)? {
        utf8.firstIndex(of: UInt8(ascii: separator)).map { (self[..<$0], self[utf8.index(after: $0)...]) }
    }

    /// What stands before and after the last `separator`, which is ASCII; nil when there is none.
    @inlinable
    package func divided(atLast separator: Unicode.Scalar) -> (before: SubSequence, after: SubSequence)? {
        utf8.lastIndex(of: UInt8(ascii: separator)).map { (self[..<$0], self[utf8.index(after: $0)...]) }
    }

    @inlinable
    package func holds(_ byte: Unicode.Scalar) -> Bool { utf8.contains(UInt8(ascii: byte)) }

    @inlinable
    package func starts(withBytesOf prefix: some StringProtocol) -> Bool { utf8.starts(with: prefix.utf8) }

    /// `suffix` is ASCII.
    @inlinable
    package func ends(withBytesOf suffix: StaticString) -> Bool {
        suffix.withUTF8Buffer { suffix in utf8.suffix(suffix.count).elementsEqual(suffix) }
    }

    /// What comes after `prefix`, which it begins with.
    @inlinable
    package func dropping(bytesOf prefix: some StringProtocol) -> SubSequence {
        self[(utf8.index(startIndex, offsetBy: prefix.utf8.count, limitedBy: endIndex) ?? endIndex)...]
    }

    /// Without the slashes it begins with.
    @inlinable
    package func droppingSlashes() -> SubSequence { self[(utf8.firstIndex { $0 != UInt8(ascii: "/") } ?? endIndex)...] }

    /// Without the slash it ends with, if it does.
    @inlinable
    package func droppingLastSlash() -> SubSequence {
        utf8.last == UInt8(ascii: "/") ? self[..<utf8.index(before: endIndex)] : self[...]
    }
}
