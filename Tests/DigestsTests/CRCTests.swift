import Digests
import Testing

/// The check values of the CRC catalogue, and the folded computation against the definition bit by bit.
@Suite struct CRCTests {
    private let check = Array("123456789".utf8)

    @Test func checkValues() {
        var crc32 = CRC32()
        var crc32c = CRC32C()
        var crc64nvme = CRC64NVME()
        #expect(crc32.value == 0 && crc32c.value == 0 && crc64nvme.value == 0)
        crc32.update(check)
        crc32c.update(check)
        crc64nvme.update(check)
        #expect(crc32.value == 0xcbf4_3926)
        #expect(crc32c.value == 0xe306_9283)
        #expect(crc64nvme.value == 0xae8b_1486_0a79_9888)
    }

    /// Lengths around the 8, 16 and 64 bytes at which the computation changes its step, each also in two updates.
    @Test(arguments: [0, 1, 7, 8, 15, 16, 17, 63, 64, 65, 79, 80, 127, 128, 129, 200, 255, 256, 1000])
    func anyLengthAtAnySplit(length: Int) {
        let bytes = (0..<length).map { UInt8(truncatingIfNeeded: $0 &* 167 &+ $0 >> 3) }
        for split in [0, 1, length / 3, length / 2, length] where split <= length {
            var crc32 = CRC32()
            var crc32c = CRC32C()
            var crc64nvme = CRC64NVME()
            for piece in [Array(bytes[..<split]), Array(bytes[split...])] {
                crc32.update(piece)
                crc32c.update(piece)
                crc64nvme.update(piece)
            }
            #expect(UInt64(crc32.value) == definition(bytes, polynomial: 0xedb8_8320, mask: 0xffff_ffff))
            #expect(UInt64(crc32c.value) == definition(bytes, polynomial: 0x82f6_3b78, mask: 0xffff_ffff))
            #expect(crc64nvme.value == definition(bytes, polynomial: 0x9a6c_9329_ac4b_c9b5, mask: .max))
        }
    }

    private func definition(_ bytes: [UInt8], polynomial: UInt64, mask: UInt64) -> UInt64 {
        var value = mask
        for byte in bytes {
            value ^= UInt64(byte)
            for _ in 0..<8 { value = value & 1 == 1 ? value >> 1 ^ polynomial : value >> 1 }
        }
        return value ^ mask
    }
}
