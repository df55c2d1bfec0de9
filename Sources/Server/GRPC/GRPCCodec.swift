// The small text and byte forms of gRPC over HTTP/2 (the "PROTOCOL-HTTP2" document): length-prefixed messages,
// timeouts, percent-encoded status messages. No I/O here.

import Bytes
import Formats

/// How a message's bytes are compressed (`grpc-encoding`).
enum GRPCEncoding: Sendable, Equatable {
    case identity, gzip

    /// Throws UNIMPLEMENTED for a coding that is not spoken.
    init(field: String?) throws(GRPCError) {
        switch field {
        case nil, "identity": self = .identity
        case "gzip": self = .gzip
        case let other?:
            throw GRPCError(.unimplemented, "grpc-encoding \(other) is not supported; use identity or gzip")
        }
    }
}

/// Splits a stream of bytes into messages.
struct GRPCMessageDecoder {
    private var buffer: [UInt8] = []
    private var offset = 0
    private let encoding: GRPCEncoding
    private let bytesMax: Int

    /// `bytesMax` bounds a message before and after decompression.
    init(encoding: GRPCEncoding, bytesMax: Int) {
        self.encoding = encoding
        self.bytesMax = bytesMax
    }

    /// True when the last message was complete.
    var isAtBoundary: Bool { offset == buffer.count }

    mutating func append(_ bytes: [UInt8]) {
        if offset == buffer.count {
            buffer = bytes
            offset = 0
        } else {
            if offset > 0 {
                buffer.removeFirst(offset)
                offset = 0
            }
            buffer.append(contentsOf: bytes)
        }
    }

    /// The next whole message, decompressed; nil when more bytes are needed.
    mutating func next() throws(GRPCError) -> [UInt8]? {
        guard buffer.count - offset >= 5 else { return nil }
        let flag = buffer[offset]
        let length = buffer[offset + 1..<offset + 5].reduce(0) { $0 << 8 | Int($1) }
        guard flag <= 1 else { throw GRPCError(.internal, "a message begins with the unknown flag \(flag)") }
        guard length <= bytesMax else {
            throw GRPCError(.resourceExhausted, "a message of \(length) bytes is over the limit of \(bytesMax)")
        }
        guard buffer.count - offset - 5 >= length else { return nil }
        let message = Array(buffer[offset + 5..<offset + 5 + length])
        offset += 5 + length
        guard flag == 1 else { return message }
        guard encoding == .gzip else {
            throw GRPCError(.internal, "a message is marked as compressed, but the call names no grpc-encoding")
        }
        do throws(GzipError) {
            return try Gzip.decompress(message, bytesMax: bytesMax)
        } catch {
            switch error {
            case .malformed: throw GRPCError(.internal, "a message is not well-formed gzip")
            case .tooLarge:
                throw GRPCError(
                    .resourceExhausted, "a message is over the limit of \(bytesMax) bytes when decompressed")
            }
        }
    }
}

enum GRPCCodec {
    private static let centuryNanoseconds: UInt64 = 3_155_760_000_000_000_000

    /// Messages below this are not worth compressing.
    static let compressedBytesMin = 256

    /// `message` with its five-byte prefix.
    static func frame(_ message: [UInt8], encoding: GRPCEncoding) -> [UInt8] {
        let isCompressed = encoding == .gzip && message.count >= compressedBytesMin
        let payload = isCompressed ? Gzip.compress(message) : message
        var out: [UInt8] = []
        out.reserveCapacity(payload.count + 5)
        out.append(isCompressed ? 1 : 0)
        for shift in [24, 16, 8, 0] { out.append(UInt8(truncatingIfNeeded: payload.count >> shift)) }
        out.append(contentsOf: payload)
        return out
    }

    /// Nanoseconds of a `grpc-timeout` value: 1 to 8 digits and a unit of H, M, S, m, u or n; nil when it is malformed.
    static func timeoutNanoseconds(_ text: String) -> UInt64? {
        var bytes = Array(text.utf8)
        guard let unit = bytes.popLast(), (1...8).contains(bytes.count), let value = ASCII.decimal(bytes) else {
            return nil
        }
        let scale: UInt64
        switch unit {
        case UInt8(ascii: "H"): scale = 3_600_000_000_000
        case UInt8(ascii: "M"): scale = 60_000_000_000
        case UInt8(ascii: "S"): scale = 1_000_000_000
        case UInt8(ascii: "m"): scale = 1_000_000
        case UInt8(ascii: "u"): scale = 1_000
        case UInt8(ascii: "n"): scale = 1
        default: return nil
        }
        // 99,999,999 hours do not fit; a century is as good as never.
        let (product, overflow) = UInt64(value).multipliedReportingOverflow(by: scale)
        return overflow ? centuryNanoseconds : min(product, centuryNanoseconds)
    }

    /// `message` as a `grpc-message` value: bytes outside 0x20-0x7e, and `%`, as `%XX`.
    static func encodeMessage(_ message: String) -> String {
        let digits = Array("0123456789ABCDEF".utf8)
        var out: [UInt8] = []
        for byte in message.utf8 {
            if (0x20...0x7e).contains(byte), byte != UInt8(ascii: "%") {
                out.append(byte)
            } else {
                out += [UInt8(ascii: "%"), digits[Int(byte >> 4)], digits[Int(byte & 15)]]
            }
        }
        return String(utf8: out)
    }
}
