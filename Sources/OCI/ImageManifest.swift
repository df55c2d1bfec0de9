import Formats

/// Why a document of an image cannot be used: one clause that says what is wrong.
package struct ImageDocumentError: Error, Sendable, Equatable, CustomStringConvertible {
    package let description: String

    init(_ description: String) { self.description = description }
}

/// A blob by what it is: digest, size in bytes and media type.
package struct ImageDescriptor: Sendable, Equatable {
    package let digest: Digest
    package let size: Int64
    package let mediaType: String

    init(_ json: JSON, _ what: String) throws(ImageDocumentError) {
        guard let digest = json["digest"]?.stringValue.flatMap({ Digest($0) }),
            let size = json["size"]?.intValue, size >= 0
        else {
            throw ImageDocumentError("\(what) has no sha256 digest or no size")
        }
        self.digest = digest
        self.size = size
        mediaType = json["mediaType"]?.stringValue ?? ""
    }
}

/// What a registry answers for an image's name: the image itself, or one for each kind of machine (OCI image
/// specification 1.1, Docker schema 2).
package enum ImageManifest: Sendable, Equatable {
    case image(configuration: ImageDescriptor, layers: [ImageDescriptor])
    /// The image for the machine asked about.
    case index(ImageDescriptor)

    /// The longest manifest that is read.
    package static let bytesMax = 4 << 20
    package static let accepted =
        "application/vnd.oci.image.index.v1+json, application/vnd.oci.image.manifest.v1+json, "
        + "application/vnd.docker.distribution.manifest.list.v2+json, "
        + "application/vnd.docker.distribution.manifest.v2+json"

    /// Reads a manifest for a Linux machine of `architecture`, such as `amd64`.
    package init(_ bytes: [UInt8], architecture: String) throws(ImageDocumentError) {
        guard let json = try? JSON.parse(bytes), json["schemaVersion"]?.intValue == 2 else {
            throw ImageDocumentError("its manifest is not JSON of schema version 2; push it with a newer client")
        }
        if let manifests = json["manifests"]?.arrayValue {
            var others: [String] = []
            for manifest in manifests {
                let platform = manifest["platform"] ?? [:]
                let system = platform["os"]?.stringValue ?? "linux"
                let machine = platform["architecture"]?.stringValue ?? architecture
                if system == "linux", machine == architecture {
                    self = .index(try ImageDescriptor(manifest, "a manifest of its index"))
                    return
                }
                others.append("\(system)/\(machine)")
            }
            throw ImageDocumentError(
                "it is for \(others.prefix(8).joined(separator: ", ")) and this machine is linux/\(architecture)")
        }
        guard let configuration = json["config"], let layers = json["layers"]?.arrayValue else {
            throw ImageDocumentError("its manifest names no configuration or no layers")
        }
        var descriptors: [ImageDescriptor] = []
        for layer in layers {
            let descriptor = try ImageDescriptor(layer, "a layer")
            guard Self.isLayer(descriptor.mediaType) else {
                throw ImageDocumentError("a layer is of the type \"\(descriptor.mediaType.prefix(100))\", not a tar")
            }
            descriptors.append(descriptor)
        }
        self = .image(configuration: try ImageDescriptor(configuration, "its configuration"), layers: descriptors)
    }

    private static func isLayer(_ type: String) -> Bool {
        let tar = ["application/vnd.oci.image.layer.v1.tar", "application/vnd.docker.image.rootfs.diff.tar"]
        return tar.contains { type == $0 || type == $0 + "+gzip" || type == $0 + "+zstd" || type == $0 + ".gzip" }
    }
}
