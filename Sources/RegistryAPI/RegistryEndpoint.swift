import Bytes
import HTTP
import OCI

/// What a path below `/v2/` means. The name may hold slashes, so paths are taken apart from their end.
enum RegistryEndpoint: Sendable, Equatable {
    case version
    case catalog
    case tags(RepositoryName)
    case manifest(RepositoryName, Reference)
    case blob(RepositoryName, Digest)
    case uploads(RepositoryName)
    case upload(RepositoryName, String)
    case referrers(RepositoryName, Digest)

    /// Throws `NAME_INVALID`, `DIGEST_INVALID`, `MANIFEST_INVALID`, or `NAME_UNKNOWN` for a path that is none of these.
    init(path: Substring) throws(RegistryError) {
        guard let decoded = PercentCoding.decode(path), decoded.hasPrefix("/v2") else { throw .noSuchPath }
        if decoded == "/v2" || decoded == "/v2/" {
            self = .version
            return
        }
        guard decoded.hasPrefix("/v2/") else { throw .noSuchPath }
        var segments = decoded.dropFirst(4).pieces(by: "/", omittingEmptySubsequences: false)[...]
        if segments == ["_catalog"] {
            self = .catalog
            return
        }
        guard let last = segments.popLast(), let kind = segments.popLast() else { throw .noSuchPath }
        switch (kind, last) {
        case ("tags", "list"): self = .tags(try Self.name(segments))
        case ("manifests", _):
            guard let reference = Reference(last) else {
                throw RegistryError(.manifestInvalid, "\"\(last.prefix(150))\" is neither a tag nor a sha256 digest")
            }
            self = .manifest(try Self.name(segments), reference)
        case ("blobs", "uploads"): self = .uploads(try Self.name(segments))
        case ("blobs", _): self = .blob(try Self.name(segments), try Self.digest(last))
        case ("uploads", _) where segments.last == "blobs":
            let name = try Self.name(segments.dropLast())
            self = last.isEmpty ? .uploads(name) : .upload(name, String(last))
        case ("referrers", _): self = .referrers(try Self.name(segments), try Self.digest(last))
        default: throw .noSuchPath
        }
    }

    private static func name(_ segments: ArraySlice<Substring>) throws(RegistryError) -> RepositoryName {
        let text = segments.joined(separator: "/")
        guard let name = RepositoryName(text) else {
            throw RegistryError(
                .nameInvalid,
                "\"\(text.prefix(150))\" is no repository name: lower-case letters, digits and . _ - between them, with / between parts"
            )
        }
        return name
    }

    static func digest(_ text: some StringProtocol) throws(RegistryError) -> Digest {
        guard let digest = Digest(text) else {
            throw RegistryError(
                .digestInvalid,
                "\"\(text.prefix(150))\" is not sha256: and 64 hexadecimal digits; no other digest is kept")
        }
        return digest
    }
}
