// Zips for tests, written byte by byte so that they can also be wrong in every way: stored or deflated by nobody, with any
// name, kind and length that a test asks for.

/// Builds a zip in memory.
package struct ZipWriter {
    package struct Entry {
        package var name: [UInt8]
        package var bytes: [UInt8]
        /// Unix mode with the file kind, such as 0o100644 or 0o120777 for a link.
        package var mode: UInt32 = 0o100644
        /// General purpose flags; bit 0 is encryption, bit 11 says that the name is UTF-8.
        package var flags: UInt16 = 0x0800
        /// Nil writes the right one.
        package var checksum: UInt32?

        package init(_ name: String, _ text: String) {
            self.name = Array(name.utf8)
            bytes = Array(text.utf8)
        }

        package init(_ name: String, bytes: [UInt8]) {
            self.name = Array(name.utf8)
            self.bytes = bytes
        }
    }

    package var entries: [Entry] = []

    package init(_ entries: [Entry] = []) { self.entries = entries }

    package init(_ files: KeyValuePairs<String, String>) { entries = files.map { Entry($0.key, $0.value) } }

    package var bytes: [UInt8] {
        var out: [UInt8] = []
        var directory: [UInt8] = []
        for entry in entries {
            let offset = UInt32(out.count)
            var common: [UInt8] = []
            common.append(little: entry.flags)
            common.append(little: UInt16(0))
            common.append(little: UInt32(0x5a21_0000))
            common.append(little: entry.checksum ?? Self.checksum(entry.bytes))
            common.append(little: UInt32(entry.bytes.count))
            common.append(little: UInt32(entry.bytes.count))
            common.append(little: UInt16(entry.name.count))
            common.append(little: UInt16(0))
            out.append(little: UInt32(0x0403_4b50))
            out.append(little: UInt16(20))
            out += common + entry.name + entry.bytes
            directory.append(little: UInt32(0x0201_4b50))
            directory.append(little: UInt16(0x031e))
            directory.append(little: UInt16(20))
            directory += common
            directory += [0, 0, 0, 0, 0, 0]
            directory.append(little: entry.mode << 16)
            directory.append(little: offset)
            directory += entry.name
        }
        let start = UInt32(out.count)
        out += directory
        out.append(little: UInt32(0x0605_4b50))
        out += [0, 0, 0, 0]
        out.append(little: UInt16(entries.count))
        out.append(little: UInt16(entries.count))
        out.append(little: UInt32(directory.count))
        out.append(little: start)
        out += [0, 0]
        return out
    }

    /// CRC-32 as zip has it, bit by bit.
    static func checksum(_ bytes: [UInt8]) -> UInt32 {
        var value: UInt32 = 0xffff_ffff
        for byte in bytes {
            value ^= UInt32(byte)
            for _ in 0..<8 { value = value & 1 == 1 ? value >> 1 ^ 0xedb8_8320 : value >> 1 }
        }
        return ~value
    }
}

extension [UInt8] {
    fileprivate mutating func append(little value: some FixedWidthInteger) {
        for shift in stride(from: 0, to: value.bitWidth, by: 8) { append(UInt8(truncatingIfNeeded: value >> shift)) }
    }
}
