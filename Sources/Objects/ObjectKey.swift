import Bytes

/// An object's name: 1 to 1,024 bytes of UTF-8, compared byte by byte.
///
/// Not a `String`, because two texts that Unicode holds for equal are two keys here.
package struct ObjectKey: Sendable, Hashable, Comparable {
    package let bytes: [UInt8]

    package var text: String { String(utf8: bytes) }

    /// Throws `keyInvalid` for an empty key and `keyTooLong` over 1,024 bytes.
    package init(_ text: String) throws(ObjectError) {
        bytes = Array(text.utf8)
        guard !bytes.isEmpty else { throw ObjectError(.keyInvalid, "The object key is empty.") }
        guard bytes.count <= ObjectLimits.keyBytesMax else {
            throw ObjectError(.keyTooLong, "Your key is too long: \(bytes.count) bytes, at most 1024 are allowed.")
        }
    }

    /// A key that the index holds.
    init(stored bytes: [UInt8]) { self.bytes = bytes }

    package static func < (left: ObjectKey, right: ObjectKey) -> Bool {
        left.bytes.lexicographicallyPrecedes(right.bytes)
    }
}
