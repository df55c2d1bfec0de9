import CChecksums

/// CRC-32 (ISO-HDLC): zip's, and S3's `CRC32`.
package struct CRC32: Sendable {
    package private(set) var value: UInt32 = 0
    package init() {}

    package mutating func update(_ bytes: UnsafeRawBufferPointer) {
        value = slipway_crc32(value, bytes.baseAddress, bytes.count)
    }

    package mutating func update(_ bytes: [UInt8]) { bytes.withUnsafeBytes { update($0) } }
}

/// CRC-32C (Castagnoli): S3's `CRC32C`, and the store's own block checksums.
package struct CRC32C: Sendable {
    package private(set) var value: UInt32 = 0
    package init() {}

    package mutating func update(_ bytes: UnsafeRawBufferPointer) {
        value = slipway_crc32c(value, bytes.baseAddress, bytes.count)
    }

    package mutating func update(_ bytes: [UInt8]) { bytes.withUnsafeBytes { update($0) } }
}

/// CRC-64/NVME: S3's `CRC64NVME`.
package struct CRC64NVME: Sendable {
    package private(set) var value: UInt64 = 0
    package init() {}

    package mutating func update(_ bytes: UnsafeRawBufferPointer) {
        value = slipway_crc64nvme(value, bytes.baseAddress, bytes.count)
    }

    package mutating func update(_ bytes: [UInt8]) { bytes.withUnsafeBytes { update($0) } }
}
