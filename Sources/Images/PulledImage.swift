package import OCI

/// An image that lies unpacked on this machine.
package struct PulledImage: Sendable, Equatable {
    /// What the registry's manifest, or its index, is called by.
    package let digest: Digest
    package let configuration: ImageConfiguration
    /// Holds a folder for each layer.
    package let layerFolder: String
    /// Names in `layerFolder`, topmost first.
    package let layers: [String]
    package let user: ImageUser.Database

    /// What a pod's status says of it, such as `localhost:5000/train@sha256:...`.
    package func identifier(of reference: ImageReference) -> String {
        reference.pinned(to: digest).description
    }
}
