// Where artifacts stand: `mlflow-artifacts:/...` (through this server), `s3://...`, or a local folder. Locations and
// relative paths come from clients, so each is checked here before it is stored or used; the checks decode percent
// escapes until nothing changes, because a client library may decode once more than we do.

import Bytes

package enum ArtifactLocation {
    /// `location` with `name` as one more path component.
    package static func child(of location: String, _ name: String) -> String {
        location.hasSuffix("/") ? location + name : location + "/" + name
    }

    /// The lower-case scheme of `location`; empty for a plain path.
    package static func scheme(of location: String) -> String {
        guard let scheme = location.divided(atFirst: ":")?.before else { return "" }
        let isScheme =
            !scheme.isEmpty
            && scheme.utf8.allSatisfy {
                ASCII.isAlphanumeric($0) || $0 == 0x2d || $0 == 0x2b || $0 == 0x2e
            }
        return isScheme ? scheme.lowercased() : ""
    }

    /// True for a folder of this or the client's machine.
    package static func isLocal(_ location: String) -> Bool { ["", "file"].contains(scheme(of: location)) }

    /// Checks a location that a client gives for an experiment or a model version's source.
    package static func check(_ location: String, _ what: String) throws(TrackingError) {
        guard location.unicodeScalars.count <= TrackingLimits.locationCharactersMax else {
            throw .invalid("Invalid \(what): longer than \(TrackingLimits.locationCharactersMax) characters.")
        }
        let decoded = fullyDecoded(location)
        guard let decoded, !hasTraversal(decoded), !decoded.holds("#"), !decoded.utf8.contains(where: { $0 < 0x20 })
        else {
            throw .invalid(
                "Invalid \(what): '\(NameRules.abbreviated(location))'. If supplying a source as an http, https, local file path, ftp, objectstore, or mlflow-artifacts uri, "
                    + "an absolute path must be provided without relative path references ('..'), '#' or control characters."
            )
        }
        if scheme(of: decoded) != "file", let query = decoded.divided(atFirst: "?")?.after {
            guard !query.holds("/") else {
                throw .invalid("Invalid \(what): '\(NameRules.abbreviated(location))'. Its query must not hold a path.")
            }
        }
    }

    /// Checks a path below an artifact folder and gives it without empty components; nil stands for the folder itself.
    ///
    /// Refuses absolute paths, `..`, backslashes, drive letters, `#`, control characters, and all of these in escaped
    /// form, however often escaped.
    package static func relativePath(_ path: String) throws(TrackingError) -> String {
        guard let decoded = fullyDecoded(path), path.utf8.count <= 4096, !decoded.starts(withBytesOf: "/"),
            !path.starts(withBytesOf: "/"),
            !hasTraversal(decoded), !decoded.holds("#"), !decoded.holds("\\"),
            !decoded.utf8.contains(where: { $0 < 0x20 || $0 == 0x7f }), !scheme(of: decoded).hasPrefix("file"),
            !(decoded.utf8.count > 1 && decoded.dropFirst().first == ":")
        else {
            throw .invalid(
                "Invalid path: '\(NameRules.abbreviated(path))'. Give a path relative to the artifact folder.")
        }
        let parts = path.pieces(by: "/")
        guard parts.allSatisfy({ $0 != "." && $0.utf8.count <= 255 }) else {
            throw .invalid(
                "Invalid path: '\(NameRules.abbreviated(path))'. Give a path relative to the artifact folder.")
        }
        return parts.joined(separator: "/")
    }

    private static func hasTraversal(_ text: String) -> Bool {
        text.utf8.split(whereSeparator: { "/\\?;:".utf8.contains($0) }).contains { $0.elementsEqual("..".utf8) }
    }

    /// `text` with escapes decoded until none is left; nil when one hides a NUL or bad UTF-8, or nesting is deeper than 10.
    private static func fullyDecoded(_ text: String) -> String? {
        var current = text
        for _ in 0..<10 {
            guard current.utf8.contains(UInt8(ascii: "%")) else { return current }
            guard let next = decodedOnce(current) else { return nil }
            if next == current { return current }
            current = next
        }
        return nil
    }

    /// Decodes well-formed escapes and leaves a lone percent sign as it is.
    private static func decodedOnce(_ text: String) -> String? {
        let source = Array(text.utf8)
        var out: [UInt8] = []
        var index = 0
        while index < source.count {
            if source[index] == UInt8(ascii: "%"), index + 2 < source.count, let high = Hex.digit(source[index + 1]),
                let low = Hex.digit(source[index + 2])
            {
                let byte = high << 4 | low
                guard byte != 0 else { return nil }
                out.append(byte)
                index += 3
            } else {
                out.append(source[index])
                index += 1
            }
        }
        return String(validUTF8: out)
    }
}
