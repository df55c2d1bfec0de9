package import Clock

/// Everything about an object but its bytes.
package struct ObjectInfo: Sendable {
    package let key: ObjectKey
    package let size: Int64
    /// Without quotes: hexadecimal MD5, or `md5-N` for an object of N parts.
    package let etag: String
    package let modified: WallTime
    package let attributes: ObjectAttributes
    package let tags: [ObjectAttributes.Pair]
    package let checksum: Checksum?
    /// 0 for an object that was put in one piece.
    package let partCount: Int

    /// Names this content, inside the store only.
    let version: Int64
    /// The one blob that holds the content; nil when it is in parts.
    let blob: Int64?
}

/// An object as a listing shows it.
package struct ListedObject: Sendable {
    package let key: ObjectKey
    package let size: Int64
    package let etag: String
    package let modified: WallTime
    package let checksum: Checksum?
}

/// A multipart upload that was begun and neither completed nor aborted.
package struct UploadInfo: Sendable {
    package let id: String
    package let key: ObjectKey
    package let initiated: WallTime
    package let checksumAlgorithm: ChecksumAlgorithm?
    package let checksumType: ChecksumType?
}

/// A part of an upload or of an object.
package struct PartInfo: Sendable {
    /// 1-10,000.
    package let number: Int
    package let size: Int64
    package let etag: String
    package let modified: WallTime
    package let checksum: Checksum?
}
