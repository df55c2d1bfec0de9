import Formats
import Testing

@testable import Server

@Suite struct GRPCCodecTests {
    @Test(
        arguments: [
            ("1n", 1), ("20u", 20_000), ("300m", 300_000_000), ("5S", 5_000_000_000), ("2M", 120_000_000_000),
            ("1H", 3_600_000_000_000), ("99999999H", 3_155_760_000_000_000_000),
        ] as [(String, UInt64)])
    func timeouts(text: String, nanoseconds: UInt64) {
        #expect(GRPCCodec.timeoutNanoseconds(text) == nanoseconds)
    }

    @Test(arguments: ["", "S", "5", "-1S", "123456789S", "1s", "1.5S", " 1S"])
    func malformedTimeouts(text: String) {
        #expect(GRPCCodec.timeoutNanoseconds(text) == nil)
    }

    @Test func encodesStatusMessages() {
        #expect(GRPCCodec.encodeMessage("50% für\nall~") == "50%25 f%C3%BCr%0Aall~")
    }

    @Test(arguments: [GRPCEncoding.identity, .gzip], [0, 1, 255, 256, 100_000])
    func messagesArriveWhateverTheSplit(encoding: GRPCEncoding, size: Int) throws {
        let message = [UInt8](repeating: 9, count: size)
        let bytes = GRPCCodec.frame(message, encoding: encoding) + GRPCCodec.frame([1], encoding: encoding)
        #expect((encoding == .gzip && size >= 256) == (bytes[0] == 1))
        for step in [1, 3, 1000, bytes.count] where bytes.count / step < 2000 {
            var decoder = GRPCMessageDecoder(encoding: encoding, bytesMax: 100_000)
            var messages: [[UInt8]] = []
            for start in stride(from: 0, to: bytes.count, by: step) {
                decoder.append(Array(bytes[start..<min(start + step, bytes.count)]))
                while let next = try decoder.next() { messages.append(next) }
            }
            #expect(messages == [message, [1]])
            #expect(decoder.isAtBoundary)
        }
    }

    @Test func refusesBadMessages() {
        func code(_ bytes: [UInt8], _ encoding: GRPCEncoding = .identity) -> GRPCStatus? {
            var decoder = GRPCMessageDecoder(encoding: encoding, bytesMax: 100)
            decoder.append(bytes)
            do throws(GRPCError) {
                _ = try decoder.next()
                return nil
            } catch {
                return error.code
            }
        }
        #expect(code([2, 0, 0, 0, 0]) == .internal)
        #expect(code([0, 0, 0, 0, 101]) == .resourceExhausted)
        #expect(code([1, 0, 0, 0, 1, 9]) == .internal)
        #expect(code([1, 0, 0, 0, 1, 9], .gzip) == .internal)
        let bomb = Gzip.compress([UInt8](repeating: 0, count: 1000))
        #expect(code([1, 0, 0, 0, UInt8(bomb.count)] + bomb, .gzip) == .resourceExhausted)
    }
}
