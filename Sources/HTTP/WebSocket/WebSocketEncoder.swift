import Bytes

/// The frame types of RFC 6455 section 5.2.
package enum WebSocketOpcode: UInt8, Sendable {
    case continuation = 0x0
    case text = 0x1
    case binary = 0x2
    case close = 0x8
    case ping = 0x9
    case pong = 0xa

    var isControl: Bool { rawValue & 0x8 != 0 }
}

/// Writes frames.
package enum WebSocketEncoder {
    /// Appends one whole, unfragmented frame. A server sends without `mask`, a client with four random bytes.
    package static func append(
        _ opcode: WebSocketOpcode, _ payload: [UInt8], mask: [UInt8]? = nil, to out: inout [UInt8]
    ) {
        precondition(mask == nil || mask?.count == 4, "a mask has four bytes")
        out.reserveCapacity(out.count + payload.count + 14)
        out.append(0x80 | opcode.rawValue)
        let maskBit: UInt8 = mask == nil ? 0 : 0x80
        switch payload.count {
        case ...125: out.append(maskBit | UInt8(payload.count))
        case ...65535:
            out.append(maskBit | 126)
            appendBigEndian(payload.count, bytes: 2, to: &out)
        default:
            out.append(maskBit | 127)
            appendBigEndian(payload.count, bytes: 8, to: &out)
        }
        guard let mask else {
            out.append(contentsOf: payload)
            return
        }
        out.append(contentsOf: mask)
        var masked = payload
        WebSocketMask.apply(mask[...], to: &masked)
        out.append(contentsOf: masked)
    }

    /// The payload of a close frame; a long reason is cut at 123 bytes, between characters.
    package static func closePayload(code: UInt16, reason: String) -> [UInt8] {
        var payload = [UInt8(truncatingIfNeeded: code >> 8), UInt8(truncatingIfNeeded: code)]
        for character in reason {
            guard payload.count + character.utf8.count <= 125 else { break }
            payload.append(contentsOf: character.utf8)
        }
        return payload
    }

    private static func appendBigEndian(_ value: Int, bytes: Int, to out: inout [UInt8]) {
        for index in (0..<bytes).reversed() { out.append(UInt8(truncatingIfNeeded: value >> (index * 8))) }
    }
}

enum WebSocketMask {
    /// Applies the four-byte `mask` to `payload`, eight bytes at a time. Applying it twice undoes it.
    static func apply(_ mask: ArraySlice<UInt8>, to payload: inout [UInt8]) {
        let word = mask.reversed().reduce(UInt64(0)) { $0 << 8 | UInt64($1) }
        let pattern = word | word << 32
        payload.withUnsafeMutableBytes { bytes in
            var index = 0
            while index + 8 <= bytes.count {
                let plain = bytes.loadUnaligned(fromByteOffset: index, as: UInt64.self) ^ pattern.littleEndian
                bytes.storeBytes(of: plain, toByteOffset: index, as: UInt64.self)
                index += 8
            }
            while index < bytes.count {
                bytes[index] ^= UInt8(truncatingIfNeeded: pattern >> UInt64(index % 4 * 8))
                index += 1
            }
        }
    }
}
