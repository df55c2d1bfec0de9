// Who a process of an image is: a name or number that the image, or a pod, gives, looked up in the image's own files.

import Bytes
import CLinux
import Glibc

/// A user of an image, in numbers.
package struct ImageUser: Sendable, Equatable {
    package var user: UInt32
    package var group: UInt32
    package var additionalGroups: [UInt32] = []
    package var home: String

    /// The users and groups of one image: the text of its `/etc/passwd` and `/etc/group`.
    package struct Database: Sendable, Equatable {
        let users: String
        let groups: String

        package init(users: String, groups: String) {
            self.users = users
            self.groups = groups
        }

        /// Reads the files as they are seen through `layers`, topmost first. Blocks.
        init(layerFolder: String, layers: [String]) {
            func text(_ path: String) -> String {
                for layer in layers {
                    switch LayerFile.read(path, layer: "\(layerFolder)/\(layer)") {
                    case .absent: continue
                    case .removed: return ""
                    case .bytes(let bytes): return String(utf8: bytes)
                    }
                }
                return ""
            }
            self.init(users: text("etc/passwd"), groups: text("etc/group"))
        }
    }

    /// Takes `USER[:GROUP]` apart; empty is root. Nil when a name is not in `database`.
    package init?(_ text: String, in database: Database) {
        let parts = text.pieces(by: ":", maxSplits: 1, omittingEmptySubsequences: false).map(String.init)
        let name = parts.first.flatMap { $0.isEmpty ? nil : $0 } ?? "0"
        let users = Self.rows(database.users, fieldCount: 7)
        // NAME:PASSWORD:UID:GID:COMMENT:HOME:SHELL
        let row = users.first { $0[0] == name } ?? users.first { $0[2] == name }
        guard let user = UInt32(name) ?? row.flatMap({ UInt32($0[2]) }) else { return nil }
        self.user = user
        home = row.map { String($0[5]) } ?? (user == 0 ? "/root" : "/")
        let groups = Self.rows(database.groups, fieldCount: 4)
        if parts.count > 1, !parts[1].isEmpty {
            // NAME:PASSWORD:GID:MEMBERS
            guard let group = UInt32(parts[1]) ?? groups.first(where: { $0[0] == parts[1] }).flatMap({ UInt32($0[2]) })
            else { return nil }
            self.group = group
            return
        }
        group = row.flatMap { UInt32($0[3]) } ?? 0
        if let row {
            for entry in groups where entry[3].pieces(by: ",").contains(row[0]) {
                if let number = UInt32(entry[2]), number != group { additionalGroups.append(number) }
            }
        }
    }

    private static func rows(_ text: String, fieldCount: Int) -> [[Substring]] {
        text.lines.map { $0.pieces(by: ":", omittingEmptySubsequences: false) }
            .filter { $0.count >= fieldCount }
    }
}

/// A file of one unpacked layer.
private enum LayerFile {
    case absent
    case removed
    case bytes([UInt8])

    private static let bytesMax = 1 << 20

    /// Reads `path` with the layer as the root. What cannot be read counts as absent.
    static func read(_ path: String, layer: String) -> LayerFile {
        let root = open(layer, O_RDONLY | O_DIRECTORY | O_CLOEXEC)
        guard root >= 0 else { return .absent }
        defer { close(root) }
        var status = stat()
        if fstatat(root, path, &status, AT_SYMLINK_NOFOLLOW) == 0, status.st_mode & S_IFMT == S_IFCHR {
            return .removed
        }
        let file = slipway_open_in_root(root, path, O_RDONLY | O_NONBLOCK | O_CLOEXEC, 0)
        guard file >= 0 else { return .absent }
        defer { close(file) }
        guard fstat(file, &status) == 0, status.st_mode & S_IFMT == S_IFREG else { return .absent }
        var bytes = [UInt8](repeating: 0, count: min(Int(status.st_size), bytesMax))
        let count = bytes.withUnsafeMutableBytes { pread(file, $0.baseAddress, $0.count, 0) }
        return count < 0 ? .absent : .bytes(Array(bytes[..<count]))
    }
}
