import Digests

/// Computes one additional checksum over bytes as they come.
struct ChecksumHasher {
    private enum State {
        case crc32(CRC32)
        case crc32c(CRC32C)
        case crc64nvme(CRC64NVME)
        case sha1(SHA1)
        case sha256(SHA256)
    }

    private var state: State

    init(_ algorithm: ChecksumAlgorithm) {
        state =
            switch algorithm {
            case .crc32: .crc32(CRC32())
            case .crc32c: .crc32c(CRC32C())
            case .crc64nvme: .crc64nvme(CRC64NVME())
            case .sha1: .sha1(SHA1())
            case .sha256: .sha256(SHA256())
            }
    }

    mutating func update(_ bytes: UnsafeRawBufferPointer) {
        switch state {
        case .crc32(var hash):
            hash.update(bytes)
            state = .crc32(hash)
        case .crc32c(var hash):
            hash.update(bytes)
            state = .crc32c(hash)
        case .crc64nvme(var hash):
            hash.update(bytes)
            state = .crc64nvme(hash)
        case .sha1(var hash):
            hash.update(bytes)
            state = .sha1(hash)
        case .sha256(var hash):
            hash.update(bytes)
            state = .sha256(hash)
        }
    }

    /// The value's bytes, big-endian for the CRCs.
    mutating func finalize() -> [UInt8] {
        switch state {
        case .crc32(let hash): bigEndian(UInt64(hash.value), count: 4)
        case .crc32c(let hash): bigEndian(UInt64(hash.value), count: 4)
        case .crc64nvme(let hash): bigEndian(hash.value, count: 8)
        case .sha1(var hash): hash.finalize()
        case .sha256(var hash): hash.finalize()
        }
    }

    private func bigEndian(_ value: UInt64, count: Int) -> [UInt8] {
        (0..<count).map { UInt8(truncatingIfNeeded: value >> UInt64((count - 1 - $0) * 8)) }
    }
}
