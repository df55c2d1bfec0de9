// Chunked transfer coding (RFC 9112 section 7.1) as a state machine fed with whatever has arrived. Sizes are 1 to 15
// hexadecimal digits; extensions are skipped but bounded; trailers are parsed as fields and bounded.

import Bytes

/// Decodes one chunked body.
package struct ChunkedDecoder {
    /// What became of the bytes given.
    package enum Progress: Equatable {
        /// Everything was consumed; more is needed.
        case needsMore
        /// The body ended; `consumed` bytes of the input belonged to it.
        case ended(consumed: Int)
    }

    private enum State {
        case size(digits: Int, value: Int)
        case extensions(value: Int)
        case sizeLineFeed(value: Int)
        case data(left: Int)
        case dataReturn
        case dataLineFeed
        case trailers
        case ended
    }

    private var state = State.size(digits: 0, value: 0)
    private var lineBytes = 0
    private var trailerBytes: [UInt8] = []
    private let lineBytesMax = 4096
    private let trailerBytesMax: Int
    private let fieldCountMax: Int
    package private(set) var trailers = HTTPFields()

    package init(trailerBytesMax: Int = 8192, fieldCountMax: Int = 32) {
        self.trailerBytesMax = trailerBytesMax
        self.fieldCountMax = fieldCountMax
    }

    /// Decodes `input`, appending body bytes to `output`. Throws `BodyError.malformed`.
    package mutating func decode(
        _ input: UnsafeBufferPointer<UInt8>, into output: inout [UInt8]
    ) throws(BodyError) -> Progress {
        var index = 0
        while index < input.count {
            let byte = input[index]
            switch state {
            case .size(let digits, let value):
                if let digit = Hex.digit(byte) {
                    guard digits < 15 else { throw .malformed }
                    state = .size(digits: digits + 1, value: value << 4 | Int(digit))
                } else {
                    guard digits > 0 else { throw .malformed }
                    lineBytes = 0
                    state = .extensions(value: value)
                    continue
                }
                index += 1
            case .extensions(let value):
                lineBytes += 1
                guard lineBytes <= lineBytesMax, byte != UInt8(ascii: "\n") else { throw .malformed }
                guard
                    byte == UInt8(ascii: "\r") || lineBytes > 1 || byte == UInt8(ascii: ";") || byte == 0x20
                        || byte == 0x09
                else { throw .malformed }
                if byte == UInt8(ascii: "\r") { state = .sizeLineFeed(value: value) }
                index += 1
            case .sizeLineFeed(let value):
                guard byte == UInt8(ascii: "\n") else { throw .malformed }
                state = value == 0 ? .trailers : .data(left: value)
                index += 1
            case .data(let left):
                let count = min(left, input.count - index)
                output.append(contentsOf: input[index..<index + count])
                index += count
                state = left == count ? .dataReturn : .data(left: left - count)
            case .dataReturn:
                guard byte == UInt8(ascii: "\r") else { throw .malformed }
                state = .dataLineFeed
                index += 1
            case .dataLineFeed:
                guard byte == UInt8(ascii: "\n") else { throw .malformed }
                state = .size(digits: 0, value: 0)
                index += 1
            case .trailers:
                trailerBytes.append(byte)
                index += 1
                guard trailerBytes.count <= trailerBytesMax else { throw .malformed }
                if trailerBytes.elementsEqual("\r\n".utf8) || trailerBytes.suffix(4).elementsEqual("\r\n\r\n".utf8) {
                    try parseTrailers()
                    state = .ended
                    return .ended(consumed: index)
                }
            case .ended: return .ended(consumed: index)
            }
        }
        return .needsMore
    }

    private mutating func parseTrailers() throws(BodyError) {
        var lines = trailerBytes[...]
        trailerBytes = []
        while !lines.elementsEqual("\r\n".utf8) {
            guard trailers.count < fieldCountMax, let feed = lines.firstIndex(of: UInt8(ascii: "\n")),
                feed > lines.startIndex, lines[feed - 1] == UInt8(ascii: "\r")
            else { throw .malformed }
            let line = lines[lines.startIndex..<feed - 1]
            guard let colon = line.firstIndex(of: UInt8(ascii: ":")) else { throw .malformed }
            var value = line[(colon + 1)...]
            while let first = value.first, first == 0x20 || first == 0x09 { value.removeFirst() }
            while let last = value.last, last == 0x20 || last == 0x09 { value.removeLast() }
            guard HTTPFields.isToken(line[..<colon]), HTTPFields.isValidValue(value) else { throw .malformed }
            trailers.append(String(utf8: line[..<colon]), String(utf8: value))
            lines = lines[(feed + 1)...]
        }
    }
}
