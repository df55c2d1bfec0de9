// The part of SPDY/3.1 that remote commands of kubectl before 1.30 need: streams that the client opens, data both ways,
// pings. Without input or output of its own. Frames and header blocks as in the SPDY protocol, draft 3.1.

import Bytes
import Formats

/// What a client sent.
enum SPDYFrame: Equatable {
    case open(stream: UInt32, fields: [String: String], isFinal: Bool)
    case data(stream: UInt32, [UInt8], isFinal: Bool)
    case reset(stream: UInt32)
    case ping(UInt32)
    case goAway
    /// Settings and windows: kubectl's implementation keeps no account of them.
    case other
}

/// The peer broke the protocol or a limit.
struct SPDYError: Error, Equatable {
    let message: String
}

enum SPDY {
    /// Bytes of one frame; kubectl sends at most 32 KiB of data in one.
    static let frameBytesMax = 1024 * 1024
    /// Bytes of a header block, decompressed.
    static let fieldBytesMax = 64 * 1024

    /// The dictionary of version 3: names with their lengths, then text. Its Adler-32 checksum is e3c6a7c2.
    static let dictionary: [UInt8] = {
        let names = [
            "options", "head", "post", "put", "delete", "trace", "accept", "accept-charset", "accept-encoding",
            "accept-language", "accept-ranges", "age", "allow", "authorization", "cache-control", "connection",
            "content-base", "content-encoding", "content-language", "content-length", "content-location",
            "content-md5", "content-range", "content-type", "date", "etag", "expect", "expires", "from", "host",
            "if-match", "if-modified-since", "if-none-match", "if-range", "if-unmodified-since", "last-modified",
            "location", "max-forwards", "pragma", "proxy-authenticate", "proxy-authorization", "range", "referer",
            "retry-after", "server", "te", "trailer", "transfer-encoding", "upgrade", "user-agent", "vary", "via",
            "warning", "www-authenticate", "method", "get", "status", "200 OK", "version", "HTTP/1.1", "url", "public",
            "set-cookie", "keep-alive", "origin",
        ]
        var bytes: [UInt8] = []
        for name in names {
            append(UInt32(name.utf8.count), to: &bytes)
            bytes.append(name)
        }
        bytes.append("100101201202205206300302303304305306307402405406407408409410411412413414415416417502504505")
        bytes.append("203 Non-Authoritative Information204 No Content301 Moved Permanently400 Bad Request")
        bytes.append("401 Unauthorized403 Forbidden404 Not Found500 Internal Server Error501 Not Implemented")
        bytes.append("503 Service UnavailableJan Feb Mar Apr May Jun Jul Aug Sept Oct Nov Dec 00:00:00 ")
        bytes.append("Mon, Tue, Wed, Thu, Fri, Sat, Sun, GMTchunked,text/html,image/png,image/jpg,image/gif,")
        bytes.append("application/xml,application/xhtml+xml,text/plain,text/javascript,publicprivate")
        bytes.append("max-age=gzip,deflate,sdchcharset=utf-8charset=iso-8859-1,utf-,*,enq=0.")
        return bytes
    }()

    static func append(_ number: UInt32, to bytes: inout [UInt8]) {
        for shift in [24, 16, 8, 0] as [UInt32] { bytes.append(UInt8(truncatingIfNeeded: number >> shift)) }
    }

    static func number(_ bytes: ArraySlice<UInt8>) -> UInt32 { bytes.prefix(4).reduce(0) { $0 << 8 | UInt32($1) } }
}

/// Takes frames out of what a client sends. Confined to one task at a time.
final class SPDYDecoder {
    private var buffer: [UInt8] = []
    private var start = 0
    private let inflater = DictionaryInflater(dictionary: SPDY.dictionary)

    func append(_ bytes: [UInt8]) {
        if start > 0 {
            buffer.removeFirst(start)
            start = 0
        }
        buffer.append(contentsOf: bytes)
    }

    /// The next whole frame, or nil.
    func next() throws(SPDYError) -> SPDYFrame? {
        let head = buffer[start...].prefix(8)
        guard head.count == 8 else { return nil }
        let word = SPDY.number(head)
        let length = Int(SPDY.number(head.dropFirst(4)) & 0xff_ffff)
        guard length <= SPDY.frameBytesMax else { throw SPDYError(message: "a frame of \(length) bytes is too large") }
        guard buffer.count - start >= 8 + length else { return nil }
        let body = Array(buffer[start + 8..<start + 8 + length])
        let isFinal = head[head.startIndex + 4] & 1 != 0
        start += 8 + length
        guard word >> 31 == 1 else { return .data(stream: word, body, isFinal: isFinal) }
        guard word >> 16 & 0x7fff == 3 else { throw SPDYError(message: "only SPDY version 3 is spoken") }
        return try control(type: word & 0xffff, body, isFinal: isFinal)
    }

    private func control(type: UInt32, _ body: [UInt8], isFinal: Bool) throws(SPDYError) -> SPDYFrame {
        switch type {
        case 1:
            guard body.count > 10 else { throw SPDYError(message: "a stream is opened without fields") }
            let stream = SPDY.number(body[...]) & 0x7fff_ffff
            return .open(stream: stream, fields: try fields(Array(body[10...])), isFinal: isFinal)
        case 8:
            // Its fields do not matter, but they are part of the one compressed stream.
            guard body.count > 4 else { throw SPDYError(message: "fields without a stream") }
            _ = try fields(Array(body[4...]))
            return .other
        case 3 where body.count >= 8: return .reset(stream: SPDY.number(body[...]) & 0x7fff_ffff)
        case 6 where body.count >= 4: return .ping(SPDY.number(body[...]))
        case 7: return .goAway
        default: return .other
        }
    }

    /// Names in lower case.
    private func fields(_ block: [UInt8]) throws(SPDYError) -> [String: String] {
        let bytes: [UInt8]
        do {
            bytes = try inflater.decompress(block, bytesMax: SPDY.fieldBytesMax)
        } catch {
            throw SPDYError(message: "a header block cannot be decompressed")
        }
        var rest = bytes[...]
        func text() -> String? {
            guard rest.count >= 4 else { return nil }
            let length = Int(SPDY.number(rest))
            rest = rest.dropFirst(4)
            guard length <= rest.count else { return nil }
            defer { rest = rest.dropFirst(length) }
            return String(utf8: rest.prefix(length))
        }
        guard rest.count >= 4 else { throw SPDYError(message: "a header block is cut short") }
        let count = Int(SPDY.number(rest))
        rest = rest.dropFirst(4)
        var fields: [String: String] = [:]
        for _ in 0..<min(count, 256) {
            guard let name = text(), let value = text() else { throw SPDYError(message: "a header block is cut short") }
            fields[name.lowercased()] = value
        }
        return fields
    }
}

/// Writes frames. Confined to one task at a time.
final class SPDYEncoder {
    private let deflater = DictionaryDeflater(dictionary: SPDY.dictionary)

    private func control(_ type: UInt32, _ body: [UInt8]) -> [UInt8] {
        var frame: [UInt8] = []
        SPDY.append(0x8003_0000 | type, to: &frame)
        SPDY.append(UInt32(body.count), to: &frame)
        return frame + body
    }

    /// Accepts a stream, with no fields.
    func reply(stream: UInt32) -> [UInt8] {
        var body: [UInt8] = []
        SPDY.append(stream, to: &body)
        return control(2, body + deflater.compress([0, 0, 0, 0]))
    }

    func ping(_ number: UInt32) -> [UInt8] {
        var body: [UInt8] = []
        SPDY.append(number, to: &body)
        return control(6, body)
    }

    /// Refuses a stream.
    func reset(stream: UInt32) -> [UInt8] {
        var body: [UInt8] = []
        SPDY.append(stream, to: &body)
        // Status 3: REFUSED_STREAM.
        SPDY.append(3, to: &body)
        return control(3, body)
    }

    /// At most 16 MiB less one byte.
    func data(stream: UInt32, _ bytes: [UInt8], isFinal: Bool = false) -> [UInt8] {
        var frame: [UInt8] = []
        frame.reserveCapacity(8 + bytes.count)
        SPDY.append(stream, to: &frame)
        SPDY.append(UInt32(bytes.count) | (isFinal ? 0x0100_0000 : 0), to: &frame)
        return frame + bytes
    }
}
