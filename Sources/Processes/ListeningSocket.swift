// The kernel's tables of listening TCP sockets. Linux, procfs: /proc/net/tcp and /proc/net/tcp6.

import Bytes
import Files

/// One listening TCP socket of this network namespace.
package struct ListeningSocket: Equatable, Sendable {
    /// `127.0.0.1`; `::` for every address of IPv6; another address of IPv6 as the table has it.
    package let address: String
    package let port: Int
    /// Names the socket among the open files of its process.
    package let inode: String

    /// True when it takes connections to every address, those of IPv4 included.
    package var isOfEveryAddress: Bool { address == "0.0.0.0" || address == "::" }

    /// True when a connection to this address and port comes to it.
    package func answers(_ address: String, _ port: Int) -> Bool {
        self.port == port && (isOfEveryAddress || self.address == address)
    }

    /// All of them. Blocks for as long as the kernel takes to print its tables.
    package static func all() -> [ListeningSocket] {
        ["/proc/net/tcp", "/proc/net/tcp6"].flatMap { parse(FileTools.read($0) ?? []) }
    }

    /// Reads one table; lines that are of another form are passed over.
    package static func parse(_ table: [UInt8]) -> [ListeningSocket] {
        table.split(separator: UInt8(ascii: "\n")).dropFirst().compactMap { line in
            let columns = line.split(separator: UInt8(ascii: " "))
            // Column 3 is the state; 0A is LISTEN. Column 9 is the inode.
            guard columns.count > 9, String(utf8: columns[3]) == "0A" else { return nil }
            let local = columns[1].split(separator: UInt8(ascii: ":"))
            guard local.count == 2, let port = Int(String(utf8: local[1]), radix: 16),
                let address = address(String(utf8: local[0]))
            else { return nil }
            return ListeningSocket(address: address, port: port, inode: String(utf8: columns[9]))
        }
    }

    /// Words of 32 bits in hexadecimal digits, each in the machine's byte order.
    private static func address(_ text: String) -> String? {
        if text.utf8.count == 8 { return UInt32(text, radix: 16).map(dotted) }
        guard text.utf8.count == 32 else { return nil }
        if text.utf8.allSatisfy({ $0 == UInt8(ascii: "0") }) { return "::" }
        // An address of IPv4 within IPv6.
        if text.hasPrefix("0000000000000000FFFF0000") { return UInt32(text.suffix(8), radix: 16).map(dotted) }
        return text
    }

    private static func dotted(_ word: UInt32) -> String {
        withUnsafeBytes(of: word) { $0.map { String($0) }.joined(separator: ".") }
    }
}
