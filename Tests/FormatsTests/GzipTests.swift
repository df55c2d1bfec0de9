import Formats
import Testing

@Suite struct GzipTests {
    @Test(arguments: [0, 1, 100, 100_000, 1_000_000])
    func roundTrips(size: Int) throws {
        let bytes = (0..<size).map { UInt8(truncatingIfNeeded: $0 / 3) }
        #expect(try Gzip.decompress(Gzip.compress(bytes), bytesMax: size) == bytes)
    }

    @Test func boundsTheOutput() {
        let bomb = Gzip.compress([UInt8](repeating: 0, count: 10_000_000))
        #expect(bomb.count < 100_000)
        #expect(throws: GzipError.tooLarge(bytesMax: 1000)) { try Gzip.decompress(bomb, bytesMax: 1000) }
    }

    @Test func refusesWhatIsNotGzip() {
        let good = Gzip.compress(Array("hello".utf8))
        for bad in [[], Array("hello".utf8), Array(good.dropLast()), good + [0], good.map { $0 ^ 1 }] {
            #expect(throws: GzipError.malformed) { try Gzip.decompress(bad, bytesMax: 1000) }
        }
    }
}
