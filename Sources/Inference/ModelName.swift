/// Names that may stand for a model: they become path components and object keys, so nothing else gets through.
package enum ModelName {
    /// 1 to 255 letters, digits, `.`, `_`, `-`; not `.` or `..`.
    package static func isValid(_ name: String) -> Bool {
        guard (1...255).contains(name.utf8.count), name != ".", name != ".." else { return false }
        return name.utf8.allSatisfy { byte in
            switch byte {
            case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "A")...UInt8(ascii: "Z"),
                UInt8(ascii: "0")...UInt8(ascii: "9"), UInt8(ascii: "."), UInt8(ascii: "_"), UInt8(ascii: "-"):
                true
            default: false
            }
        }
    }

    /// A version folder's number: digits without a leading zero, over 0.
    package static func version(_ text: some StringProtocol) -> Int? {
        guard text.utf8.first != UInt8(ascii: "0"), text.utf8.count <= 18,
            text.utf8.allSatisfy({ (UInt8(ascii: "0")...UInt8(ascii: "9")).contains($0) })
        else { return nil }
        return Int(text)
    }
}
