import Bytes

/// A repository's name by the grammar of the OCI distribution specification, such as `team/tr-ex-job`; at most 255 bytes.
package struct RepositoryName: Sendable, Hashable {
    package let text: String

    package init?(_ text: some StringProtocol) {
        guard (1...255).contains(text.utf8.count) else { return nil }
        for component in text.pieces(by: "/", omittingEmptySubsequences: false) {
            guard Self.isComponent(Array(component.utf8)) else { return nil }
        }
        self.text = String(text)
    }

    /// Lower-case letters and digits; between them single dots, one or two underscores, or any number of dashes.
    private static func isComponent(_ bytes: [UInt8]) -> Bool {
        guard let first = bytes.first, let last = bytes.last, isAlphanumeric(first), isAlphanumeric(last) else {
            return false
        }
        var separators: [UInt8] = []
        for byte in bytes {
            if isAlphanumeric(byte) {
                let isFine =
                    separators.isEmpty || separators == [0x2e] || separators == [0x5f] || separators == [0x5f, 0x5f]
                    || separators.allSatisfy { $0 == 0x2d }
                guard isFine else { return false }
                separators = []
            } else {
                separators.append(byte)
            }
        }
        return true
    }

    private static func isAlphanumeric(_ byte: UInt8) -> Bool {
        (0x61...0x7a).contains(byte) || (0x30...0x39).contains(byte)
    }
}

/// `sha256:` and 64 lower-case hexadecimal digits: the only algorithm that every registry must know, and the one kept here.
package struct Digest: Sendable, Hashable {
    package let hexadecimal: String
    package var text: String { "sha256:" + hexadecimal }

    package init?(_ text: some StringProtocol) {
        guard text.hasPrefix("sha256:") else { return nil }
        let digits = text.dropFirst(7)
        guard digits.utf8.count == 64,
            digits.utf8.allSatisfy({ (0x30...0x39).contains($0) || (0x61...0x66).contains($0) })
        else { return nil }
        hexadecimal = String(digits)
    }

    package init(bytes: [UInt8]) { hexadecimal = Hex.encode(bytes) }
}

/// What a manifest is asked for by.
package enum Reference: Sendable, Hashable {
    case tag(String)
    case digest(Digest)

    /// A digest, or a tag: 1 to 128 letters, digits, `_`, `.` and `-`, the first neither `.` nor `-`.
    package init?(_ text: some StringProtocol) {
        if text.contains(":") {
            guard let digest = Digest(text) else { return nil }
            self = .digest(digest)
            return
        }
        guard (1...128).contains(text.utf8.count), let first = text.utf8.first, first != 0x2e, first != 0x2d,
            text.utf8.allSatisfy({
                (0x61...0x7a).contains($0 | 0x20) || (0x30...0x39).contains($0) || $0 == 0x5f || $0 == 0x2e
                    || $0 == 0x2d
            })
        else { return nil }
        self = .tag(String(text))
    }
}
