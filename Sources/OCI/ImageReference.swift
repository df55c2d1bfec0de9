/// The name of an image as people write it: `[HOST[:PORT]/]NAME[:TAG][@sha256:DIGEST]`.
///
/// The first component is a host when it holds a dot or a colon or is `localhost`, as container engines take it.
package struct ImageReference: Sendable, Hashable, CustomStringConvertible {
    /// Host and port of the registry; nil where the name has none.
    package let host: String?
    package let repository: RepositoryName
    /// `latest` where neither tag nor digest is given.
    package let tag: String?
    package let digest: Digest?

    /// Nil when `text` is no name of that form, or longer than 512 bytes.
    package init?(_ text: String) {
        guard text.utf8.count <= 512 else { return nil }
        var rest = text[...]
        var digest: Digest?
        if let at = rest.firstIndex(of: "@") {
            guard let parsed = Digest(rest[rest.index(after: at)...]) else { return nil }
            digest = parsed
            rest = rest[..<at]
        }
        var host: String?
        if let slash = rest.firstIndex(of: "/") {
            let first = rest[..<slash]
            if first.contains(".") || first.contains(":") || first == "localhost" {
                guard Self.isHost(first) else { return nil }
                host = String(first)
                rest = rest[rest.index(after: slash)...]
            }
        }
        var tag: String?
        if let colon = rest.lastIndex(of: ":"), !rest[colon...].contains("/") {
            guard case .tag(let parsed)? = Reference(rest[rest.index(after: colon)...]) else { return nil }
            tag = parsed
            rest = rest[..<colon]
        }
        if host == "docker.io" || host == "index.docker.io" {
            host = "docker.io"
            if !rest.contains("/") { rest = "library/" + rest }
        }
        guard let repository = RepositoryName(rest) else { return nil }
        self.init(host: host, repository: repository, tag: tag ?? (digest == nil ? "latest" : nil), digest: digest)
    }

    private init(host: String?, repository: RepositoryName, tag: String?, digest: Digest?) {
        self.host = host
        self.repository = repository
        self.tag = tag
        self.digest = digest
    }

    /// The same image at another registry, for a name that has none.
    package func at(_ host: String) -> ImageReference {
        ImageReference(host: host, repository: repository, tag: tag, digest: digest)
    }

    /// The same image by what it is instead of by its tag.
    package func pinned(to digest: Digest) -> ImageReference {
        ImageReference(host: host, repository: repository, tag: nil, digest: digest)
    }

    /// What a manifest is asked for by: the digest where there is one.
    package var manifest: String { digest?.text ?? tag ?? "latest" }

    package var description: String {
        (host.map { $0 + "/" } ?? "") + repository.text + (tag.map { ":" + $0 } ?? "")
            + (digest.map { "@" + $0.text } ?? "")
    }

    private static func isHost(_ text: Substring) -> Bool {
        text.utf8.count <= 255
            && text.utf8.allSatisfy {
                (0x61...0x7a).contains($0 | 0x20) || (0x30...0x39).contains($0) || $0 == 0x2d || $0 == 0x2e
                    || $0 == 0x3a || $0 == 0x5b || $0 == 0x5d
            }
    }
}
