// The strict HTTP/1.1 head parser (RFC 9112). Everything that lets two parsers disagree about where a request ends is
// refused: both Content-Length and Transfer-Encoding, repeated or signed lengths, any coding but `chunked`, space before
// a colon, folded lines, bare CR or LF, control characters, a missing or second Host. The parser reads a whole head at
// once; the connection looks for its end first (`endOfHead`), so a head split at any byte gives the same result.

import Bytes

/// How the bytes after a head are framed.
package enum BodyFraming: Sendable, Equatable {
    case none
    case length(Int)
    case chunked
}

/// A request head with what the connection needs to know of it.
package struct ParsedRequestHead: Sendable {
    package var head: RequestHead
    package var framing: BodyFraming
    /// False when the client asked to close, or speaks HTTP/1.0 without `keep-alive`.
    package var keepsAlive: Bool
    package var expectsContinue: Bool
}

/// Why a head was refused.
package enum RequestHeadError: Error, Equatable {
    case malformed(String)
    case tooManyFields
    case requestLineTooLong
    case versionNotSupported
    case codingNotSupported
}

/// Parses HTTP/1 request heads.
package struct RequestHeadParser: Sendable {
    private let requestLineBytesMax: Int
    private let fieldCountMax: Int

    package init(requestLineBytesMax: Int, fieldCountMax: Int) {
        self.requestLineBytesMax = requestLineBytesMax
        self.fieldCountMax = fieldCountMax
    }

    /// The offset just past the empty line that ends the head in `bytes`, or nil when it has not arrived.
    ///
    /// - Parameter scanned: how many leading bytes an earlier call has seen already.
    package static func endOfHead(_ bytes: UnsafeBufferPointer<UInt8>, scanned: Int) -> Int? {
        var index = max(scanned - 3, 0)
        while index < bytes.count {
            guard bytes[index] == UInt8(ascii: "\n") else {
                index += 1
                continue
            }
            // An empty line: the previous line ended just before this CR LF (or this LF, which parsing refuses).
            if index + 1 < bytes.count, bytes[index + 1] == UInt8(ascii: "\n") { return index + 2 }
            if index + 2 < bytes.count, bytes[index + 1] == UInt8(ascii: "\r"), bytes[index + 2] == UInt8(ascii: "\n") {
                return index + 3
            }
            index += 1
        }
        return nil
    }

    /// Parses a whole head, its final empty line included.
    package func parse(_ bytes: UnsafeBufferPointer<UInt8>) throws(RequestHeadError) -> ParsedRequestHead {
        var cursor = Cursor(bytes: bytes)
        let (method, target, version) = try requestLine(&cursor)
        var semantics = FieldSemantics()
        var entries: [HTTPFields.Entry] = []
        entries.reserveCapacity(16)
        let fieldsStart = cursor.index
        while !cursor.atEmptyLine {
            guard entries.count < fieldCountMax else { throw .tooManyFields }
            let name = try cursor.fieldName()
            let value = try cursor.fieldValue()
            try semantics.note(bytes, name: name, value: value)
            entries.append(
                HTTPFields.Entry(
                    name: Int32(name.lowerBound - fieldsStart)..<Int32(name.upperBound - fieldsStart),
                    value: Int32(value.lowerBound - fieldsStart)..<Int32(value.upperBound - fieldsStart)))
        }
        guard cursor.index + 2 == bytes.count else { throw .malformed("bytes after the end of the request head") }
        let storage = Array(bytes[fieldsStart..<cursor.index])
        let fields = HTTPFields(storage: storage, entries: entries)
        return try semantics.finish(method: method, target: target, version: version, fields: fields)
    }

    private func requestLine(_ cursor: inout Cursor) throws(RequestHeadError) -> (HTTPMethod, String, HTTPVersion) {
        // One empty line before a request is tolerated (RFC 9112 section 2.2).
        if cursor.atEmptyLine { cursor.index += 2 }
        let lineStart = cursor.index
        let method = cursor.take(while: ASCII.isToken)
        guard !method.isEmpty, cursor.skip(UInt8(ascii: " ")) else {
            throw .malformed("the request line has no method")
        }
        let target = cursor.take { $0 > 0x20 && $0 < 0x7f && $0 != UInt8(ascii: "#") }
        guard target.count <= requestLineBytesMax else { throw .requestLineTooLong }
        guard !target.isEmpty, cursor.skip(UInt8(ascii: " ")) else {
            throw .malformed("the request target is empty or holds a character that must be percent-encoded")
        }
        let version = try cursor.version()
        guard cursor.skip(UInt8(ascii: "\r")), cursor.skip(UInt8(ascii: "\n")) else {
            throw .malformed("the request line does not end in CR LF")
        }
        guard cursor.index - lineStart <= requestLineBytesMax else { throw .requestLineTooLong }
        return (Self.method(cursor.bytes[method]), String(utf8: cursor.bytes[target]), version)
    }

    /// The method, without building a string for the usual ones.
    private static func method(_ bytes: Slice<UnsafeBufferPointer<UInt8>>) -> HTTPMethod {
        let start = bytes.startIndex
        if bytes.count == 3, bytes[start + 1] == UInt8(ascii: "E"), bytes[start + 2] == UInt8(ascii: "T"),
            bytes[start] == UInt8(ascii: "G")
        {
            return .get
        }
        return HTTPMethod(String(utf8: bytes))
    }
}

/// What the framing and connection fields of one head say, gathered while the fields are parsed.
private struct FieldSemantics {
    private var contentLength: Int?
    private var isChunked = false
    private var hostCount = 0
    private var host = ""
    private var asksClose = false
    private var asksKeepAlive = false
    private var expectsContinue = false

    mutating func note(
        _ bytes: UnsafeBufferPointer<UInt8>, name: Range<Int>, value: Range<Int>
    ) throws(RequestHeadError) {
        switch name.count {
        case 4 where equals(bytes[name], "host"):
            hostCount += 1
            host = String(utf8: bytes[value])
        case 6 where equals(bytes[name], "expect"):
            guard equals(bytes[value], "100-continue") else {
                throw .malformed("the only expectation known is 100-continue")
            }
            expectsContinue = true
        case 10 where equals(bytes[name], "connection"):
            for token in bytes[value].split(separator: UInt8(ascii: ",")) {
                let token = trimmed(token)
                if equals(token, "close") { asksClose = true }
                if equals(token, "keep-alive") { asksKeepAlive = true }
            }
        case 14 where equals(bytes[name], "content-length"):
            guard contentLength == nil else { throw .malformed("more than one Content-Length") }
            guard let length = ASCII.decimal(bytes[value]) else {
                throw .malformed("Content-Length is not a decimal number of bytes")
            }
            contentLength = length
        case 17 where equals(bytes[name], "transfer-encoding"):
            guard !isChunked else { throw .malformed("more than one Transfer-Encoding") }
            guard equals(bytes[value], "chunked") else { throw .codingNotSupported }
            isChunked = true
        default: break
        }
    }

    func finish(
        method: HTTPMethod, target: String, version: HTTPVersion, fields: HTTPFields
    ) throws(RequestHeadError) -> ParsedRequestHead {
        guard hostCount == 1 || (version == .http10 && hostCount == 0) else {
            throw .malformed(hostCount == 0 ? "no Host field" : "more than one Host field")
        }
        if isChunked {
            guard contentLength == nil else { throw .malformed("both Content-Length and Transfer-Encoding") }
            guard version == .http11 else { throw .malformed("Transfer-Encoding in HTTP/1.0") }
        }
        let framing: BodyFraming =
            if isChunked { .chunked } else if let contentLength, contentLength > 0 { .length(contentLength) } else {
                .none
            }
        return ParsedRequestHead(
            head: RequestHead(
                method: method, target: try originForm(target, method), version: version, fields: fields),
            framing: framing,
            keepsAlive: version == .http11 ? !asksClose : asksKeepAlive && !asksClose,
            expectsContinue: expectsContinue && version == .http11 && framing != .none)
    }

    /// The target as `/path?query` or `*`; absolute form is accepted when its authority is the Host's.
    private func originForm(_ target: String, _ method: HTTPMethod) throws(RequestHeadError) -> String {
        if target.utf8.first == UInt8(ascii: "/") { return target }
        if target == "*", method == .options { return target }
        for scheme in ["http://", "https://"] where target.hasPrefix(scheme) {
            let rest = target.dropFirst(scheme.count)
            let authority = rest.prefix { $0 != "/" && $0 != "?" }
            guard authority == host else { throw .malformed("the request target's authority is not the Host") }
            let path = rest[authority.endIndex...]
            return path.hasPrefix("/") ? String(path) : "/" + path
        }
        throw .malformed("the request target is not a path")
    }

    private func equals(_ bytes: Slice<UnsafeBufferPointer<UInt8>>, _ lowercase: StaticString) -> Bool {
        guard bytes.count == lowercase.utf8CodeUnitCount else { return false }
        return lowercase.withUTF8Buffer { zip(bytes, $0).allSatisfy { ASCII.lowercase($0) == $1 } }
    }

    private func trimmed(_ bytes: Slice<UnsafeBufferPointer<UInt8>>) -> Slice<UnsafeBufferPointer<UInt8>> {
        var slice = bytes
        while let first = slice.first, first == 0x20 || first == 0x09 { slice.removeFirst() }
        while let last = slice.last, last == 0x20 || last == 0x09 { slice.removeLast() }
        return slice
    }
}

/// A position in a head.
private struct Cursor {
    let bytes: UnsafeBufferPointer<UInt8>
    var index = 0

    init(bytes: UnsafeBufferPointer<UInt8>) { self.bytes = bytes }

    var atEmptyLine: Bool {
        index + 1 < bytes.count && bytes[index] == UInt8(ascii: "\r") && bytes[index + 1] == UInt8(ascii: "\n")
    }

    mutating func skip(_ byte: UInt8) -> Bool {
        guard index < bytes.count, bytes[index] == byte else { return false }
        index += 1
        return true
    }

    mutating func take(while accepts: (UInt8) -> Bool) -> Range<Int> {
        let start = index
        while index < bytes.count, accepts(bytes[index]) { index += 1 }
        return start..<index
    }

    mutating func version() throws(RequestHeadError) -> HTTPVersion {
        guard index + 8 <= bytes.count, let base = UnsafeRawPointer(bytes.baseAddress) else {
            throw .malformed("the request line has no version")
        }
        let text = UInt64(bigEndian: base.loadUnaligned(fromByteOffset: index, as: UInt64.self))
        // "HTTP/" and then "1.1" or "1.0", read as one big-endian number.
        guard text >> 24 == 0x48_5454_502f else { throw .malformed("the request line has no version") }
        index += 8
        switch text & 0xff_ffff {
        case 0x31_2e31: return .http11
        case 0x31_2e30: return .http10
        default: throw .versionNotSupported
        }
    }

    mutating func fieldName() throws(RequestHeadError) -> Range<Int> {
        let name = take(while: ASCII.isToken)
        guard !name.isEmpty else {
            let folded = index < bytes.count && (bytes[index] == 0x20 || bytes[index] == 0x09)
            throw .malformed(folded ? "a folded header line" : "a header line without a field name")
        }
        guard skip(UInt8(ascii: ":")) else { throw .malformed("a header field name is not followed by a colon") }
        return name
    }

    /// The value up to CR LF, without the white space around it.
    mutating func fieldValue() throws(RequestHeadError) -> Range<Int> {
        while index < bytes.count, bytes[index] == 0x20 || bytes[index] == 0x09 { index += 1 }
        let start = index
        skipPlainWords()
        while index < bytes.count, bytes[index] >= 0x20 && bytes[index] != 0x7f || bytes[index] == 0x09 { index += 1 }
        var end = index
        guard skip(UInt8(ascii: "\r")), skip(UInt8(ascii: "\n")) else {
            throw .malformed("a header line holds a control character or does not end in CR LF")
        }
        while end > start, bytes[end - 1] == 0x20 || bytes[end - 1] == 0x09 { end -= 1 }
        return start..<end
    }

    /// Moves over 8 bytes at a time while none is a control character: 64-bit arithmetic, since generic SIMD masks
    /// took 17 times as long here.
    private mutating func skipPlainWords() {
        guard let base = UnsafeRawPointer(bytes.baseAddress) else { return }
        let high: UInt64 = 0x8080_8080_8080_8080
        let ones: UInt64 = 0x0101_0101_0101_0101
        while index + 8 <= bytes.count {
            let word = base.loadUnaligned(fromByteOffset: index, as: UInt64.self)
            let below = (word &- ones &* 0x20) & ~word & high
            let delete = word ^ (ones &* 0x7f)
            let isDelete = (delete &- ones) & ~delete & high
            guard below | isDelete == 0 else { return }
            index += 8
        }
    }
}
