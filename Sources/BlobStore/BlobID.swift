import Bytes

/// Names one immutable run of bytes. Never reused; grows with time, so neighbours were written together.
package struct BlobID: Sendable, Hashable, Comparable {
    package let value: Int64

    package init(_ value: Int64) { self.value = value }

    package static func < (left: BlobID, right: BlobID) -> Bool { left.value < right.value }

    /// Files of one folder: enough that a busy minute shares few folders, whose fsyncs are then shared too.
    static let filesPerFolderBits: Int64 = 12

    /// The folder's name under `blobs/`: hexadecimal, no key of a client is ever part of a path.
    var folderName: String { Self.hexadecimal(value >> Self.filesPerFolderBits) }

    var fileName: String { Self.hexadecimal(value) }

    /// The id whose file has this name; nil for a name this store does not give.
    init?(fileName: some StringProtocol) {
        guard fileName.utf8.count <= 16, let value = Int64(fileName, radix: 16), value >= 0,
            Self.hexadecimal(value) == fileName
        else { return nil }
        self.value = value
    }

    private static func hexadecimal(_ value: Int64) -> String {
        var out: [UInt8] = []
        out.append(hexadecimal: UInt64(value))
        return String(utf8: out)
    }
}
