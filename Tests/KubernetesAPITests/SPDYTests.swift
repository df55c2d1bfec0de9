import Bytes
import Formats
import Testing

@testable import KubernetesAPI

struct SPDYTests {
    /// A client's side, as kubectl's implementation writes it.
    private final class Client {
        private let deflater = DictionaryDeflater(dictionary: SPDY.dictionary)

        func open(_ stream: UInt32, _ fields: [(String, String)]) -> [UInt8] {
            var block: [UInt8] = []
            SPDY.append(UInt32(fields.count), to: &block)
            for (name, value) in fields {
                for text in [name, value] {
                    SPDY.append(UInt32(text.utf8.count), to: &block)
                    block.append(text)
                }
            }
            var body: [UInt8] = []
            SPDY.append(stream, to: &body)
            body += [0, 0, 0, 0, 0, 0]
            return control(1, body + deflater.compress(block))
        }

        func control(_ type: UInt32, _ body: [UInt8]) -> [UInt8] {
            var frame: [UInt8] = []
            SPDY.append(0x8003_0000 | type, to: &frame)
            SPDY.append(UInt32(body.count), to: &frame)
            return frame + body
        }
    }

    @Test func theDictionaryIsThatOfTheProtocol() {
        var low: UInt32 = 1
        var high: UInt32 = 0
        for byte in SPDY.dictionary {
            low = (low + UInt32(byte)) % 65521
            high = (high + low) % 65521
        }
        #expect(SPDY.dictionary.count == 1423 && high << 16 | low == 0xe3c6_a7c2)
    }

    @Test func refusesAStream() {
        #expect(SPDYEncoder().reset(stream: 5) == [0x80, 3, 0, 3, 0, 0, 0, 8, 0, 0, 0, 5, 0, 0, 0, 3])
    }

    @Test func framesArriveInPieces() throws {
        let client = Client()
        let encoder = SPDYEncoder()
        let bytes =
            client.open(1, [("Streamtype", "error")]) + client.open(3, [("streamtype", "stdin")])
            + encoder.data(stream: 3, Array("typed".utf8)) + encoder.data(stream: 3, [], isFinal: true)
            + encoder.ping(1) + client.control(4, [0, 0, 0, 0]) + client.control(7, [0, 0, 0, 3, 0, 0, 0, 0])
        let decoder = SPDYDecoder()
        var frames: [SPDYFrame] = []
        for byte in bytes {
            decoder.append([byte])
            while let frame = try decoder.next() { frames.append(frame) }
        }
        #expect(
            frames == [
                .open(stream: 1, fields: ["streamtype": "error"], isFinal: false),
                .open(stream: 3, fields: ["streamtype": "stdin"], isFinal: false),
                .data(stream: 3, Array("typed".utf8), isFinal: false), .data(stream: 3, [], isFinal: true), .ping(1),
                .other, .goAway,
            ])
    }

    @Test func repliesGoOnInOneCompressedStream() throws {
        let encoder = SPDYEncoder()
        let inflater = DictionaryInflater(dictionary: SPDY.dictionary)
        for stream in [1, 3] as [UInt32] {
            let frame = encoder.reply(stream: stream)
            #expect(Array(frame[..<4]) == [0x80, 3, 0, 2] && SPDY.number(frame[8...]) == stream)
            #expect(try inflater.decompress(Array(frame[12...]), bytesMax: 100) == [0, 0, 0, 0])
        }
    }

    @Test(
        arguments: [
            [0x80, 2, 0, 1, 0, 0, 0, 0], [0x80, 3, 0, 1, 0, 0, 0, 4, 0, 0, 0, 1], [0, 0, 0, 1, 0, 0xff, 0xff, 0xff],
            [0x80, 3, 0, 1, 0, 0, 0, 12, 0, 0, 0, 1, 0, 0, 0, 0, 0, 0, 1, 2],
        ] as [[UInt8]])
    func brokenFramesAreRefused(_ bytes: [UInt8]) {
        let decoder = SPDYDecoder()
        decoder.append(bytes)
        #expect(throws: SPDYError.self) { try decoder.next() }
    }
}
