import Bytes
import Digests

/// The additional checksums of S3, each with its name in `x-amz-checksum-algorithm`.
package enum ChecksumAlgorithm: String, Sendable, CaseIterable {
    case crc32 = "CRC32"
    case crc32c = "CRC32C"
    case crc64nvme = "CRC64NVME"
    case sha1 = "SHA1"
    case sha256 = "SHA256"

    /// Bytes of a value.
    package var byteCount: Int {
        switch self {
        case .crc32, .crc32c: 4
        case .crc64nvme: 8
        case .sha1: 20
        case .sha256: 32
        }
    }

    /// True for sums of which a whole can be computed from those of its parts.
    var isLinear: Bool {
        switch self {
        case .crc32, .crc32c, .crc64nvme: true
        case .sha1, .sha256: false
        }
    }
}

/// What a multipart object's checksum is computed over.
package enum ChecksumType: String, Sendable {
    /// The bytes of the whole object.
    case fullObject = "FULL_OBJECT"
    /// The checksums of the parts, one after the other.
    case composite = "COMPOSITE"
}

/// A checksum kept with an object or a part.
package struct Checksum: Sendable, Equatable {
    package let algorithm: ChecksumAlgorithm
    package let type: ChecksumType
    /// Base64 of the value, big-endian for the CRCs; followed by `-N` for a composite of N parts.
    package let text: String

    package init(algorithm: ChecksumAlgorithm, type: ChecksumType = .fullObject, text: String) {
        self.algorithm = algorithm
        self.type = type
        self.text = text
    }

    /// The form kept in the index.
    var encoded: String { "\(algorithm.rawValue) \(type.rawValue) \(text)" }

    init?(encoded: String) {
        let parts = encoded.pieces(by: " ")
        guard parts.count == 3, let algorithm = ChecksumAlgorithm(rawValue: String(parts[0])),
            let type = ChecksumType(rawValue: String(parts[1]))
        else { return nil }
        self.init(algorithm: algorithm, type: type, text: String(parts[2]))
    }
}

extension Checksum {
    /// The value's bytes of one algorithm over bytes in memory.
    package static func value(_ algorithm: ChecksumAlgorithm, of bytes: [UInt8]) -> [UInt8] {
        var hasher = ChecksumHasher(algorithm)
        bytes.withUnsafeBytes { hasher.update($0) }
        return hasher.finalize()
    }
}
