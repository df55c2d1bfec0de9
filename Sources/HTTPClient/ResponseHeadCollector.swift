import Bytes
import HTTP

/// Gathers the header lines that libcurl delivers one by one, over interim responses, redirects and trailers.
struct ResponseHeadCollector {
    enum Event: Equatable {
        /// Nothing to tell yet.
        case more
        /// The blank line of a response head; `status` and `fields` are complete.
        case head
        /// A field after the body; it stands in `trailers`.
        case trailer
        /// Not HTTP, or over the limit.
        case malformed
    }

    private(set) var status = 0
    private(set) var fields = HTTPFields()
    private(set) var trailers = HTTPFields()
    /// True once the final head was given out; later lines are trailers.
    var isHeadDone = false

    /// Takes one line with its line end.
    mutating func receive(_ line: UnsafeRawBufferPointer, fieldCountMax: Int) -> Event {
        var text = line[...]
        while let last = text.last, last == UInt8(ascii: "\n") || last == UInt8(ascii: "\r") { text = text.dropLast() }
        if text.isEmpty { return isHeadDone ? .more : .head }
        if !isHeadDone, text.starts(with: "HTTP/".utf8) { return receiveStatusLine(text) }
        guard let colon = text.firstIndex(of: UInt8(ascii: ":")) else { return .malformed }
        let name = text[..<colon]
        let value = Self.trimmed(text[text.index(after: colon)...])
        guard HTTPFields.isToken(name), HTTPFields.isValidValue(value),
            fields.count + trailers.count < fieldCountMax
        else { return .malformed }
        if isHeadDone {
            trailers.append(String(utf8: name), String(utf8: value))
            return .trailer
        }
        fields.append(String(utf8: name), String(utf8: value))
        return .more
    }

    private mutating func receiveStatusLine(_ text: Slice<UnsafeRawBufferPointer>) -> Event {
        fields = HTTPFields()
        let parts = text.split(separator: UInt8(ascii: " "), maxSplits: 2)
        guard parts.count >= 2, let code = ASCII.decimal(parts[1]), (100...599).contains(code) else {
            return .malformed
        }
        status = code
        return .more
    }

    private static func trimmed(_ text: Slice<UnsafeRawBufferPointer>) -> Slice<UnsafeRawBufferPointer> {
        var text = text.drop { $0 == 0x20 || $0 == 0x09 }
        while let last = text.last, last == 0x20 || last == 0x09 { text = text.dropLast() }
        return text
    }
}
