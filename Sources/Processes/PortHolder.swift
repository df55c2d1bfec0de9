// Who listens on a port: the kernel's socket table gives an inode, and a process that has it open is the holder. What
// `ss -ltnp` does, without it.

import Bytes
import Files
import Glibc

/// The process that listens on a TCP port of this machine.
package struct PortHolder: Equatable, Sendable {
    package let processID: Int
    /// The first 80 characters of its command line.
    package let command: String

    /// The holder of `port`, or nil when nobody has it or its owner may not be seen. Blocks.
    ///
    /// - Parameter address: only who gets connections to this address; nil is whoever has the port at any.
    package static func find(port: Int, address: String? = nil) -> PortHolder? {
        let sockets = ListeningSocket.all().filter { socket in
            address.map { socket.answers($0, port) } ?? (socket.port == port)
        }
        guard !sockets.isEmpty else { return nil }
        let targets = Set(sockets.map { "socket:[\($0.inode)]" })
        for name in FileTools.names(in: "/proc") {
            guard let processID = Int(name) else { continue }
            let folder = "/proc/\(name)/fd"
            for descriptor in FileTools.names(in: folder) where targets.contains(link("\(folder)/\(descriptor)")) {
                return PortHolder(processID: processID, command: commandLine(name))
            }
        }
        return nil
    }

    private static func commandLine(_ process: String) -> String {
        guard let bytes = FileTools.read("/proc/\(process)/cmdline", bytesMax: 4096), !bytes.isEmpty else { return "?" }
        let words = bytes.split(separator: 0).map { String(utf8: $0) }
        return String(words.joined(separator: " ").prefix(80))
    }

    private static func link(_ path: String) -> String {
        var buffer = [CChar](repeating: 0, count: 256)
        let count = readlink(path, &buffer, 255)
        return count > 0 ? String(utf8: buffer.prefix(count).map { UInt8(bitPattern: $0) }) : ""
    }
}
