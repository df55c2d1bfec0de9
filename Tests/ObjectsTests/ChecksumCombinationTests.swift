import Testing

@testable import Objects

@Suite struct ChecksumCombinationTests {
    /// The check values of the CRC catalogue, over "123456789".
    @Test(arguments: [
        (ChecksumAlgorithm.crc32, [0xcb, 0xf4, 0x39, 0x26] as [UInt8]),
        (.crc32c, [0xe3, 0x06, 0x92, 0x83]),
        (.crc64nvme, [0xae, 0x8b, 0x14, 0x86, 0x0a, 0x79, 0x98, 0x88]),
    ])
    func catalogueValues(algorithm: ChecksumAlgorithm, value: [UInt8]) {
        #expect(Checksum.value(algorithm, of: Array("123456789".utf8)) == value)
    }

    @Test(arguments: [ChecksumAlgorithm.crc32, .crc32c, .crc64nvme], [0, 1, 8, 1000, 70_001])
    func theWholeFollowsFromItsHalves(algorithm: ChecksumAlgorithm, rightCount: Int) throws {
        let left = (0..<12_345).map { UInt8(truncatingIfNeeded: $0 &* 13) }
        let right = (0..<rightCount).map { UInt8(truncatingIfNeeded: $0 &* 29 &+ 5) }
        func number(_ bytes: [UInt8]) -> UInt64 {
            Checksum.value(algorithm, of: bytes).reduce(0) { $0 << 8 | UInt64($1) }
        }
        let combination = try #require(ChecksumCombination(algorithm))
        #expect(combination.combine(number(left), number(right), rightBytes: Int64(rightCount)) == number(left + right))
    }

    @Test func attributesSurviveTheIndex() {
        let attributes = ObjectAttributes(
            fields: [.init("Content-Type", "text/plain")], userMetadata: [.init("a", ""), .init("\u{e9}", "\u{1F600}")])
        #expect(ObjectAttributes(encoded: attributes.encoded) == attributes)
        #expect(ObjectAttributes(encoded: [1, 0, 0, 0, 9]) == ObjectAttributes())
    }
}
