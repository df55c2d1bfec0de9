/// Percent-coding of RFC 3986 section 2.1.
@usableFromInline
package enum PercentCoding {
    /// Decodes `%XX` in `text`; nil for a broken escape, a NUL, or bytes that are not UTF-8.
    ///
    /// - Parameter plusIsSpace: true for form-encoded query values.
    @inlinable
    package static func decode(_ text: some StringProtocol, plusIsSpace: Bool = false) -> String? {
        let source = text.utf8
        guard source.contains(where: { $0 == UInt8(ascii: "%") || $0 == UInt8(ascii: "+") }) else {
            return String(text)
        }
        var out: [UInt8] = []
        out.reserveCapacity(source.count)
        var iterator = source.makeIterator()
        while let byte = iterator.next() {
            switch byte {
            case UInt8(ascii: "%"):
                guard let high = iterator.next().flatMap(Hex.digit), let low = iterator.next().flatMap(Hex.digit)
                else { return nil }
                let value = high << 4 | low
                guard value != 0 else { return nil }
                out.append(value)
            case UInt8(ascii: "+") where plusIsSpace: out.append(UInt8(ascii: " "))
            default: out.append(byte)
            }
        }
        return String(validUTF8: out)
    }

    /// Encodes every byte but the unreserved ones (`A-Z a-z 0-9 - . _ ~`), and `/` when `keepingSlash`.
    ///
    /// This is AWS's `UriEncode` (Signature Version 4, "Create a canonical request").
    @inlinable
    package static func encode(_ text: some StringProtocol, keepingSlash: Bool = false) -> String {
        var out: [UInt8] = []
        for byte in text.utf8 {
            if isUnreserved(byte) || (keepingSlash && byte == UInt8(ascii: "/")) {
                out.append(byte)
            } else {
                out.append(UInt8(ascii: "%"))
                out.append(upperHex[Int(byte >> 4)])
                out.append(upperHex[Int(byte & 15)])
            }
        }
        return String(utf8: out)
    }

    @usableFromInline static let upperHex: [UInt8] = Array("0123456789ABCDEF".utf8)

    @inlinable
    static func isUnreserved(_ byte: UInt8) -> Bool {
        switch byte {
        case UInt8(ascii: "A")...UInt8(ascii: "Z"), UInt8(ascii: "a")...UInt8(ascii: "z"),
            UInt8(ascii: "0")...UInt8(ascii: "9"), UInt8(ascii: "-"), UInt8(ascii: "."), UInt8(ascii: "_"),
            UInt8(ascii: "~"):
            true
        default: false
        }
    }
}
