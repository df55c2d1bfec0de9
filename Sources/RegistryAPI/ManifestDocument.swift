import Formats
import OCI

/// What a registry must know of a manifest (OCI image specification, Docker schema 2): its type, and what it refers to.
struct ManifestDocument: Sendable {
    static let bytesMax = 4 << 20
    private static let referenceCountMax = 4096

    let mediaType: String
    /// Configuration and layers: they must be in the repository.
    let blobs: [Digest]
    /// The manifests of an index: those that must be in the repository.
    let manifests: [Digest]
    /// The manifest that this one is about.
    let subject: Digest?
    /// For the list of a subject's referrers.
    let artifactType: String?
    let annotations: JSON?

    static let mediaTypes: Set<String> = [
        "application/vnd.oci.image.manifest.v1+json", "application/vnd.oci.image.index.v1+json",
        "application/vnd.docker.distribution.manifest.v2+json",
        "application/vnd.docker.distribution.manifest.list.v2+json",
    ]

    /// Throws `MANIFEST_INVALID` with what is wrong.
    init(_ bytes: [UInt8], contentType: String?) throws(RegistryError) {
        guard let document = try? JSON.parse(bytes), document.objectValue != nil else {
            throw RegistryError(.manifestInvalid, "the manifest is not a JSON object")
        }
        guard document["schemaVersion"]?.intValue == 2 else {
            throw RegistryError(
                .manifestInvalid, "only manifests of schema version 2 are kept; push with a newer client")
        }
        let own = document["mediaType"]?.stringValue
        let given = contentType.map { String($0.prefix { $0 != ";" }) }
        if let own, let given, own != given {
            throw RegistryError(
                .manifestInvalid, "the manifest says it is \(own.prefix(100)), Content-Type says \(given.prefix(100))")
        }
        guard let mediaType = own ?? given, Self.mediaTypes.contains(mediaType) else {
            throw RegistryError(
                .manifestInvalid, "the media type \"\((own ?? given ?? "").prefix(100))\" is no image manifest or index"
            )
        }
        self.mediaType = mediaType
        var blobs: [Digest] = []
        var manifests: [Digest] = []
        if let config = document["config"] { blobs.append(try Self.digest(config, "config")) }
        for layer in document["layers"]?.arrayValue ?? [] where layer["urls"] == nil {
            blobs.append(try Self.digest(layer, "layers"))
        }
        for manifest in document["manifests"]?.arrayValue ?? [] {
            manifests.append(try Self.digest(manifest, "manifests"))
        }
        guard blobs.count + manifests.count <= Self.referenceCountMax else {
            throw RegistryError(.manifestInvalid, "the manifest refers to more than \(Self.referenceCountMax) things")
        }
        self.blobs = blobs
        self.manifests = manifests
        subject = try document["subject"].map { json throws(RegistryError) in try Self.digest(json, "subject") }
        artifactType = document["artifactType"]?.stringValue ?? document["config"]?["mediaType"]?.stringValue
        annotations = document["annotations"]
    }

    private static func digest(_ descriptor: JSON, _ member: String) throws(RegistryError) -> Digest {
        guard let text = descriptor["digest"]?.stringValue, let digest = Digest(text) else {
            throw RegistryError(.manifestInvalid, "a descriptor in \(member) has no sha256 digest")
        }
        return digest
    }
}
