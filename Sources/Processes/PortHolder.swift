// Who listens on a port: the kernel's socket table gives an inode, and a process that has it open is the holder. What
// `ss -ltnp` does, without it.

import Bytes
import Glibc

/// The process that listens on a TCP port of this machine.
struct PortHolder: Equatable {
    let processID: Int
    let command: String

    /// The holder of `port`, or nil when nobody has it or its owner may not be seen.
    static func find(port: Int) -> PortHolder? {
        let inodes = ["/proc/net/tcp", "/proc/net/tcp6"].flatMap { listeningInodes($0, port: port) }
        guard !inodes.isEmpty else { return nil }
        let targets = Set(inodes.map { "socket:[\($0)]" })
        for name in entries("/proc") {
            guard let processID = Int(name) else { continue }
            for descriptor in entries("/proc/\(name)/fd") where targets.contains(link("/proc/\(name)/fd/\(descriptor)"))
            {
                return PortHolder(processID: processID, command: commandLine(name))
            }
        }
        return nil
    }

    private static func listeningInodes(_ table: String, port: Int) -> [Substring] {
        guard let bytes = try? PrivateFile.read(table) else { return [] }
        let suffix =
            ":" + String(repeating: "0", count: max(0, 4 - String(port, radix: 16).count))
            + String(port, radix: 16, uppercase: true)
        return String(utf8: bytes).split(separator: "\n").dropFirst().compactMap { line in
            let columns = line.split(separator: " ", omittingEmptySubsequences: true)
            // Column 3 is the state; 0A is LISTEN. Column 9 is the inode.
            guard columns.count > 9, columns[1].hasSuffix(suffix), columns[3] == "0A" else { return nil }
            return columns[9]
        }
    }

    private static func commandLine(_ process: String) -> String {
        guard let bytes = try? PrivateFile.read("/proc/\(process)/cmdline"), !bytes.isEmpty else { return "?" }
        let words = bytes.split(separator: 0).map { String(utf8: $0) }
        return String(words.joined(separator: " ").prefix(80))
    }

    private static func entries(_ folder: String) -> [String] {
        guard let stream = opendir(folder) else { return [] }
        defer { closedir(stream) }
        var names: [String] = []
        while let entry = readdir(stream) {
            names.append(withUnsafeBytes(of: &entry.pointee.d_name) { String(utf8: $0.prefix { $0 != 0 }) })
        }
        return names
    }

    private static func link(_ path: String) -> String {
        var buffer = [CChar](repeating: 0, count: 256)
        let count = readlink(path, &buffer, 255)
        return count > 0 ? String(utf8: buffer.prefix(count).map { UInt8(bitPattern: $0) }) : ""
    }
}
