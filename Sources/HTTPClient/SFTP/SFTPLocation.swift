import Bytes

/// `sftp://user@host:port/folder`: a place on a server that speaks SSH.
package struct SFTPLocation: Sendable, Equatable {
    package let host: String
    package let port: Int
    /// Nil when the location names nobody.
    package let user: String?
    /// Absolute, or `/~/…` below the user's home folder; without a slash at its end.
    package let path: String

    /// Parses a location. Nil when it is no `sftp://` URL, has no host, a bad port or a password: a password belongs in
    /// the environment, where process lists do not show it.
    package init?(_ text: String) {
        guard text.hasPrefix("sftp://") else { return nil }
        let rest = text.dropFirst("sftp://".count)
        let authority = rest.prefix { $0 != "/" }
        var place = authority[...]
        if let at = authority.lastIndex(of: "@") {
            let name = authority[..<at]
            guard !name.isEmpty, !name.contains(":"), let decoded = PercentCoding.decode(name) else { return nil }
            user = decoded
            place = authority[authority.index(after: at)...]
        } else {
            user = nil
        }
        if let colon = place.lastIndex(of: ":"), !place.hasSuffix("]") {
            guard let number = ASCII.decimal(place[place.index(after: colon)...].utf8), (1...65535).contains(number)
            else { return nil }
            port = number
            place = place[..<colon]
        } else {
            port = 22
        }
        let allowed = place.utf8.allSatisfy { byte in
            ASCII.isDigit(byte) || (UInt8(ascii: "a")...UInt8(ascii: "z")).contains(byte | 0x20)
                || ".-_:[]".utf8.contains(byte)
        }
        guard !place.isEmpty, allowed else { return nil }
        host = String(place)
        guard let decoded = PercentCoding.decode(rest[authority.endIndex...]), !decoded.utf8.contains(0) else {
            return nil
        }
        path = decoded.hasSuffix("/") ? String(decoded.dropLast()) : decoded
    }

    /// The host and the port, for messages.
    package var name: String { "\(host):\(port)" }
}

/// How a client proves who it is and whom it trusts.
package struct SFTPCredential: Sendable {
    package var user = ""
    package var password: String?
    /// A private key file, and what it is encrypted with.
    package var keyPath: String?
    package var passphrase: String?
    /// Host keys that are trusted, as `ssh` keeps them.
    package var knownHostsPath: String?
    /// Base64 of the SHA-256 of the one host key that is trusted, as `ssh-keygen -l` prints it after `SHA256:`.
    package var hostKeySHA256: String?

    package init() {}
}
