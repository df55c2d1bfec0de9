import Bytes

/// The `Range` field of a GET or HEAD (RFC 9110 section 14). One range; several, or another unit, are ignored, as the
/// RFC allows and Amazon does.
package enum ByteRangeField: Equatable, Sendable {
    case from(Int64)
    case closed(Int64, Int64)
    case suffix(Int64)

    package init?(_ text: String) {
        guard text.hasPrefix("bytes=") else { return nil }
        let parts = text.dropFirst(6).pieces(by: "-", maxSplits: 1, omittingEmptySubsequences: false)
        guard parts.count == 2 else { return nil }
        let first = ASCII.decimal(parts[0].utf8).map { Int64($0) }
        let last = ASCII.decimal(parts[1].utf8).map { Int64($0) }
        switch (first, last) {
        case (let first?, let last?):
            guard first <= last else { return nil }
            self = .closed(first, last)
        case (let first?, nil) where parts[1].isEmpty: self = .from(first)
        case (nil, let last?) where parts[0].isEmpty: self = .suffix(last)
        default: return nil
        }
    }

    /// The bytes of an object of `size` bytes; nil when there are none to give (416).
    package func resolve(size: Int64) -> Range<Int64>? {
        switch self {
        case .from(let first): first < size ? first..<size : nil
        case .closed(let first, let last): first < size ? first..<min(last, size - 1) + 1 : nil
        case .suffix(let count): count > 0 && size > 0 ? max(0, size - count)..<size : nil
        }
    }

    /// `Content-Range` of an answer that gives `range` of `size` bytes.
    package static func contentRange(_ range: Range<Int64>, size: Int64) -> String {
        "bytes \(range.lowerBound)-\(range.upperBound - 1)/\(size)"
    }
}
