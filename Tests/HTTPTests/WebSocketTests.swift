import HTTP
import Testing

@Suite struct WebSocketTests {
    private func frame(_ opcode: WebSocketOpcode, _ payload: [UInt8]) -> [UInt8] {
        var out: [UInt8] = []
        WebSocketEncoder.append(opcode, payload, mask: [1, 2, 3, 4], to: &out)
        return out
    }

    private func decode(_ bytes: [UInt8], messageBytesMax: Int = 1000) throws -> [WebSocketDecoder.Event] {
        var decoder = WebSocketDecoder(messageBytesMax: messageBytesMax)
        decoder.append(bytes)
        var events: [WebSocketDecoder.Event] = []
        while let event = try decoder.next() { events.append(event) }
        return events
    }

    /// The examples of RFC 6455 section 5.7.
    @Test func readsTheExamplesOfTheStandard() throws {
        #expect(
            try decode([0x81, 0x85, 0x37, 0xfa, 0x21, 0x3d, 0x7f, 0x9f, 0x4d, 0x51, 0x58])
                == [.message(.text("Hello"))])
        var client = WebSocketDecoder(messageBytesMax: 100, expectsMask: false)
        client.append([0x01, 0x03, 0x48, 0x65, 0x6c, 0x80, 0x02, 0x6c, 0x6f])
        #expect(try client.next() == .message(.text("Hello")))
        var out: [UInt8] = []
        WebSocketEncoder.append(.text, Array("Hello".utf8), to: &out)
        #expect(out == [0x81, 0x05, 0x48, 0x65, 0x6c, 0x6c, 0x6f])
    }

    @Test(arguments: [0, 1, 7, 8, 125, 126, 127, 65535, 65536, 70000])
    func roundTrips(size: Int) throws {
        let payload = (0..<size).map { UInt8(truncatingIfNeeded: $0 * 7) }
        #expect(try decode(frame(.binary, payload), messageBytesMax: 70000) == [.message(.binary(payload))])
    }

    @Test func doesNotDependOnHowBytesArrive() throws {
        let bytes =
            frame(.text, Array("grüße".utf8)) + frame(.ping, [1]) + frame(.binary, [UInt8](repeating: 3, count: 300))
        var decoder = WebSocketDecoder(messageBytesMax: 1000)
        var events: [WebSocketDecoder.Event] = []
        for byte in bytes {
            decoder.append([byte])
            while let event = try decoder.next() { events.append(event) }
        }
        #expect(events == [.message(.text("grüße")), .ping([1]), .message(.binary([UInt8](repeating: 3, count: 300)))])
    }

    @Test func boundsAMessageBeforeItHasArrived() throws {
        var decoder = WebSocketDecoder(messageBytesMax: 1000)
        decoder.append([0x82, 0xfe, 0x03, 0xe9])
        #expect(throws: WebSocketError.self) { try decoder.next() }
    }

    @Test func cutsACloseReasonBetweenCharacters() {
        let payload = WebSocketEncoder.closePayload(code: 1000, reason: String(repeating: "ü", count: 100))
        #expect(payload.count == 124)
        #expect(String(validating: payload.dropFirst(2), as: UTF8.self) != nil)
    }
}
