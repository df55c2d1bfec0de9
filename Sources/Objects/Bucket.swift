import Bytes
package import Clock

/// A bucket as the index has it.
package struct Bucket: Sendable {
    package let id: Int
    package let name: String
    package let owner: String
    package let created: WallTime

    /// Throws `bucketNameInvalid` for a name Amazon S3 would refuse to create.
    ///
    /// Rules: 3-63 characters of `a-z 0-9 . -`, beginning and ending with a letter or digit, no `..`, `.-` or `-.`, not
    /// shaped like an IPv4 address, no reserved prefix or suffix ("Bucket naming rules", S3 User Guide).
    package static func validate(name: String) throws(ObjectError) {
        func invalid(_ reason: String) -> ObjectError { ObjectError(.bucketNameInvalid, "The bucket name \(reason).") }
        let bytes = Array(name.utf8)
        guard (3...63).contains(bytes.count) else { throw invalid("must have 3 to 63 characters") }
        func isAlphanumeric(_ byte: UInt8) -> Bool {
            ASCII.isDigit(byte) || (UInt8(ascii: "a")...UInt8(ascii: "z")).contains(byte)
        }
        let dot = UInt8(ascii: ".")
        let hyphen = UInt8(ascii: "-")
        guard bytes.allSatisfy({ isAlphanumeric($0) || $0 == dot || $0 == hyphen }) else {
            throw invalid("may only have lower-case letters, digits, dots and hyphens")
        }
        guard isAlphanumeric(bytes[0]), isAlphanumeric(bytes[bytes.count - 1]) else {
            throw invalid("must begin and end with a letter or a digit")
        }
        for (left, right) in zip(bytes, bytes.dropFirst()) where left == dot || right == dot {
            guard isAlphanumeric(left) || isAlphanumeric(right) else {
                throw invalid("may not have a dot beside a dot or a hyphen")
            }
        }
        let labels = name.pieces(by: ".")
        if labels.count == 4, labels.allSatisfy({ ASCII.decimal($0.utf8) != nil }) {
            throw invalid("may not look like an IP address")
        }
        if name.hasPrefix("xn--") || name.hasPrefix("sthree-") || name.hasSuffix("-s3alias")
            || name.hasSuffix("--ol-s3")
        {
            throw invalid("has a reserved prefix or suffix")
        }
        if name == "minio" { throw invalid("is reserved for the management paths") }
    }
}
