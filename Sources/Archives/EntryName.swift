// The name of an entry becomes a path, so it is taken apart here and nowhere else.

import Bytes

/// An entry's name as path components, none of which can leave the folder it is unpacked into.
package struct EntryName: Sendable, Equatable {
    package let components: [String]

    package var path: String { components.joined(separator: "/") }

    /// Checks a name as it stands in an archive. A slash at the end, as folders have, is dropped.
    ///
    /// Throws `unsafe` for an absolute name, a `..` component, a drive letter, a backslash or a control character, and
    /// `malformed` for one that is empty or not UTF-8.
    package init(_ bytes: some Collection<UInt8>, limits: ArchiveLimits = ArchiveLimits()) throws(ArchiveError) {
        guard bytes.count <= limits.nameBytesMax else {
            throw ArchiveError(.tooLarge, "an entry's name is longer than \(limits.nameBytesMax) bytes")
        }
        guard let text = String(validUTF8: bytes) else {
            throw ArchiveError(.malformed, "the name of an entry is not UTF-8; pack it again with UTF-8 names")
        }
        let shown = Self.shown(text)
        guard !text.starts(withBytesOf: "/") else {
            throw ArchiveError(.unsafe, "entry \"\(shown)\" has an absolute name")
        }
        guard text.utf8.allSatisfy({ $0 >= 0x20 && $0 != 0x7f && $0 != UInt8(ascii: "\\") }) else {
            throw ArchiveError(.unsafe, "entry \"\(shown)\" has a backslash or a control character in its name")
        }
        var components: [String] = []
        for component in text.pieces(by: "/") where component != "." {
            guard component != ".." else {
                throw ArchiveError(.unsafe, "entry \"\(shown)\" would be written outside of its folder")
            }
            guard component.utf8.count <= limits.componentBytesMax else {
                throw ArchiveError(
                    .tooLarge, "entry \"\(shown)\" has a component over \(limits.componentBytesMax) bytes")
            }
            components.append(String(component))
        }
        if let first = components.first?.utf8, first.count == 2, first.last == UInt8(ascii: ":") {
            throw ArchiveError(.unsafe, "entry \"\(shown)\" names a drive")
        }
        guard components.count <= limits.depthMax else {
            throw ArchiveError(.tooLarge, "entry \"\(shown)\" is nested deeper than \(limits.depthMax) folders")
        }
        self.components = components
    }

    /// A name for a message: printable and short.
    private static func shown(_ text: String) -> String {
        String(String.UnicodeScalarView(text.unicodeScalars.prefix(80).map { $0.value < 0x20 ? "?" : $0 }))
    }
}
