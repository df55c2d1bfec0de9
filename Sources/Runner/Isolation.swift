import Bytes

/// How far a step is kept apart from the host.
package enum Isolation: Int32, Sendable, CaseIterable {
    /// A plain process: no private /tmp, no volumes at their paths.
    case plain = 0
    /// Own mount, process, host-name and IPC namespaces.
    case namespaces = 1
    /// The same within a user namespace, for a server that is not root.
    case userNamespace = 2

    package var hasPrivateView: Bool { self != .plain }
}

/// The mount points of the host that a step's view shows beside the root file system.
enum HostMounts {
    /// Outermost mount points in the text of `/proc/self/mountinfo`, without those that each view has of its own.
    static func carried(mountinfo: [UInt8], under excluded: [String]) -> [String] {
        var points: [String] = []
        for line in String(utf8: mountinfo).pieces(by: "\n") {
            let fields = line.pieces(by: " ", maxSplits: 5)
            guard fields.count > 4 else { continue }
            points.append(unescaped(fields[4]))
        }
        let own = ["/proc", "/tmp"] + excluded
        let candidates = points.filter { point in
            point != "/" && !own.contains { point == $0 || point.hasPrefix($0 + "/") }
        }
        var outermost: [String] = []
        for point in Set(candidates).sorted() where !outermost.contains(where: { point.hasPrefix($0 + "/") }) {
            outermost.append(point)
        }
        return outermost
    }

    /// Blank, tab, newline and backslash are written as three octal digits.
    private static func unescaped(_ text: Substring) -> String {
        var out: [UInt8] = []
        var bytes = Array(text.utf8)[...]
        while let byte = bytes.popFirst() {
            let digits = bytes.prefix(3)
            if byte == UInt8(ascii: "\\"), digits.count == 3, digits.allSatisfy({ (48...55).contains($0) }) {
                out.append(UInt8(truncatingIfNeeded: digits.reduce(0) { $0 * 8 + Int($1) - 48 }))
                bytes = bytes.dropFirst(3)
            } else {
                out.append(byte)
            }
        }
        return String(utf8: out)
    }
}
