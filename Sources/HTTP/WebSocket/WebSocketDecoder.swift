// The receiving half of RFC 6455, without I/O. Strict: every rule of sections 5.2 to 5.5 and 7.4 that a peer can
// break ends the connection with the close code the RFC gives it. Extensions are never negotiated, so reserved bits are errors.

import Bytes

/// A whole message, put together from its fragments.
package enum WebSocketMessage: Sendable, Equatable {
    case text(String)
    case binary([UInt8])
}

/// The peer broke the protocol or a limit; `code` is the close code to answer with.
package struct WebSocketError: Error, Sendable, Equatable {
    package let code: UInt16
    package let reason: String

    package static func protocolError(_ reason: String) -> WebSocketError { WebSocketError(code: 1002, reason: reason) }
}

/// Turns bytes into messages and control frames.
package struct WebSocketDecoder {
    package enum Event: Sendable, Equatable {
        case message(WebSocketMessage)
        case ping([UInt8])
        case pong([UInt8])
        /// The peer closes; `code` is nil when it gave none.
        case close(code: UInt16?, reason: String)
    }

    private struct Header {
        let isFinal: Bool
        let opcode: WebSocketOpcode
        let isMasked: Bool
        let payloadStart: Int
        let payloadCount: Int
    }

    private var buffer: [UInt8] = []
    private var offset = 0
    /// The opcode of the message whose fragments are being gathered.
    private var fragmentsOpcode: WebSocketOpcode?
    private var fragments: [UInt8] = []
    private let messageBytesMax: Int
    private let expectsMask: Bool

    /// - Parameters:
    ///   - messageBytesMax: bytes of a message, all its fragments together. Over it: close code 1009.
    ///   - expectsMask: true on a server, whose peers must mask; false on a client, whose peers must not.
    package init(messageBytesMax: Int, expectsMask: Bool = true) {
        self.messageBytesMax = messageBytesMax
        self.expectsMask = expectsMask
    }

    package mutating func append(_ bytes: [UInt8]) {
        if offset == buffer.count {
            buffer = bytes
            offset = 0
        } else {
            buffer.append(contentsOf: bytes)
        }
    }

    /// The next event; nil when more bytes are needed. After an error the decoder is of no more use.
    package mutating func next() throws(WebSocketError) -> Event? {
        while let header = try nextHeader() {
            let end = header.payloadStart + header.payloadCount
            guard buffer.count >= end else { break }
            var payload = Array(buffer[header.payloadStart..<end])
            if header.isMasked {
                WebSocketMask.apply(buffer[header.payloadStart - 4..<header.payloadStart], to: &payload)
            }
            offset = end
            if let event = try take(header, payload) { return event }
        }
        compact()
        return nil
    }

    private mutating func compact() {
        guard offset > 0 else { return }
        buffer.removeFirst(offset)
        offset = 0
    }

    /// Reads and checks a frame header; nil when it is not complete.
    private func nextHeader() throws(WebSocketError) -> Header? {
        let available = buffer.count - offset
        guard available >= 2 else { return nil }
        let first = buffer[offset]
        let second = buffer[offset + 1]
        guard first & 0x70 == 0 else { throw .protocolError("a reserved bit is set") }
        guard let opcode = WebSocketOpcode(rawValue: first & 0x0f) else { throw .protocolError("unknown opcode") }
        let isFinal = first & 0x80 != 0
        let isMasked = second & 0x80 != 0
        guard isMasked == expectsMask else {
            throw .protocolError(
                expectsMask ? "a client's frame must be masked" : "a server's frame must not be masked")
        }
        var count = Int(second & 0x7f)
        let lengthBytes = count == 126 ? 2 : count == 127 ? 8 : 0
        if opcode.isControl {
            guard isFinal, lengthBytes == 0 else { throw .protocolError("a control frame is fragmented or too long") }
        }
        guard available >= 2 + lengthBytes else { return nil }
        if lengthBytes > 0 {
            guard lengthBytes == 2 || buffer[offset + 2] < 0x80 else { throw .protocolError("a length is negative") }
            count = buffer[offset + 2..<offset + 2 + lengthBytes].reduce(0) { $0 << 8 | Int($1) }
            guard count > (lengthBytes == 2 ? 125 : 65535) else {
                throw .protocolError("a length takes more bytes than it needs")
            }
        }
        try check(opcode, payloadCount: count)
        let start = offset + 2 + lengthBytes + (isMasked ? 4 : 0)
        guard buffer.count >= start else { return nil }
        return Header(isFinal: isFinal, opcode: opcode, isMasked: isMasked, payloadStart: start, payloadCount: count)
    }

    /// What can be refused before the payload has arrived.
    private func check(_ opcode: WebSocketOpcode, payloadCount: Int) throws(WebSocketError) {
        guard !opcode.isControl else { return }
        guard (opcode == .continuation) == (fragmentsOpcode != nil) else {
            throw .protocolError(
                opcode == .continuation ? "a continuation without a message" : "a message within a message")
        }
        guard payloadCount <= messageBytesMax - fragments.count else {
            throw WebSocketError(code: 1009, reason: "a message is over \(messageBytesMax) bytes")
        }
    }

    private mutating func take(_ header: Header, _ payload: [UInt8]) throws(WebSocketError) -> Event? {
        switch header.opcode {
        case .ping: return .ping(payload)
        case .pong: return .pong(payload)
        case .close: return try close(payload)
        case .text, .binary:
            if header.isFinal { return .message(try message(header.opcode, payload)) }
            fragmentsOpcode = header.opcode
            fragments = payload
            return nil
        case .continuation:
            fragments.append(contentsOf: payload)
            guard header.isFinal, let opcode = fragmentsOpcode else { return nil }
            defer {
                fragmentsOpcode = nil
                fragments = []
            }
            return .message(try message(opcode, fragments))
        }
    }

    private func message(_ opcode: WebSocketOpcode, _ bytes: [UInt8]) throws(WebSocketError) -> WebSocketMessage {
        guard opcode == .text else { return .binary(bytes) }
        guard let text = String(validUTF8: bytes) else {
            throw WebSocketError(code: 1007, reason: "a text message is not UTF-8")
        }
        return .text(text)
    }

    private func close(_ payload: [UInt8]) throws(WebSocketError) -> Event {
        guard !payload.isEmpty else { return .close(code: nil, reason: "") }
        guard payload.count >= 2 else { throw .protocolError("a close frame has half a code") }
        let code = UInt16(payload[0]) << 8 | UInt16(payload[1])
        switch code {
        case 1000...1003, 1007...1014, 3000...4999: break
        default: throw .protocolError("\(code) is not a close code to send")
        }
        guard let reason = String(validUTF8: payload[2...]) else {
            throw WebSocketError(code: 1007, reason: "a close reason is not UTF-8")
        }
        return .close(code: code, reason: reason)
    }
}
