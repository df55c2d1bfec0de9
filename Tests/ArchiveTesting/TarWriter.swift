/// Writes a tar (ustar) byte by byte, so that a test can put anything into it.
public struct TarWriter {
    public struct Entry {
        var name: String
        var content: [UInt8] = []
        var kind: Character = "0"
        var target = ""
        var mode = 0o644
        var owner = 0
        var time = 0

        public static func file(
            _ name: String, _ text: String, mode: Int = 0o644, owner: Int = 0, time: Int = 0
        ) -> Entry {
            Entry(name: name, content: Array(text.utf8), mode: mode, owner: owner, time: time)
        }

        public static func folder(_ name: String, mode: Int = 0o755) -> Entry {
            Entry(name: name, kind: "5", mode: mode)
        }

        public static func symlink(_ name: String, to target: String) -> Entry {
            Entry(name: name, kind: "2", target: target)
        }

        public static func hardlink(_ name: String, to target: String) -> Entry {
            Entry(name: name, kind: "1", target: target)
        }

        public static func device(_ name: String) -> Entry { Entry(name: name, kind: "3") }
    }

    public var entries: [Entry]
    /// Leaves only so many bytes.
    public var cut: Int?

    public init(_ entries: [Entry]) { self.entries = entries }

    public var bytes: [UInt8] {
        var out: [UInt8] = []
        for entry in entries {
            out += header(entry) + entry.content
            out += [UInt8](repeating: 0, count: (512 - entry.content.count % 512) % 512)
        }
        out += [UInt8](repeating: 0, count: 1024)
        return cut.map { Array(out.prefix($0)) } ?? out
    }

    private func header(_ entry: Entry) -> [UInt8] {
        var block = [UInt8](repeating: 0, count: 512)
        func put(_ text: String, at offset: Int, room: Int) {
            for (index, byte) in text.utf8.prefix(room).enumerated() { block[offset + index] = byte }
        }
        func octal(_ value: Int, at offset: Int, room: Int) {
            let digits = String(value, radix: 8)
            put(String(repeating: "0", count: max(0, room - 1 - digits.count)) + digits, at: offset, room: room - 1)
        }
        put(entry.name, at: 0, room: 100)
        octal(entry.mode, at: 100, room: 8)
        octal(entry.owner, at: 108, room: 8)
        octal(entry.owner, at: 116, room: 8)
        octal(entry.content.count, at: 124, room: 12)
        octal(entry.time, at: 136, room: 12)
        put(String(entry.kind), at: 156, room: 1)
        put(entry.target, at: 157, room: 100)
        put("ustar", at: 257, room: 6)
        put("00", at: 263, room: 2)
        for index in 148..<156 { block[index] = 0x20 }
        let sum = String(block.reduce(0) { $0 + Int($1) }, radix: 8)
        put(String(repeating: "0", count: 6 - sum.count) + sum, at: 148, room: 6)
        block[154] = 0
        return block
    }
}
