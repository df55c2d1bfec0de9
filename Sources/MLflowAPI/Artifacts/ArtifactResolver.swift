// From the artifact location of a run to the store that keeps its bytes. `mlflow-artifacts:` is this server's own
// destination; `s3:` is read with the server's credentials; a folder is read only when it is the one that the server
// was started with, since a location comes from clients.

import Bytes
package import ObjectClient
import Tracking

package struct ArtifactResolver: Sendable {
    /// Where `mlflow-artifacts:` paths are kept.
    private let destination: any ArtifactStore
    /// For `s3:` locations; nil when the server knows no S3 endpoint.
    private let client: ObjectClient?
    /// A local `--default-artifact-root`, which the server may read.
    private let localRoot: (path: String, store: any ArtifactStore)?

    package init(
        destination: any ArtifactStore, client: ObjectClient?,
        localRoot: (path: String, store: any ArtifactStore)? = nil
    ) {
        self.destination = destination
        self.client = client
        self.localRoot = localRoot
    }

    /// The proxy's own store.
    var proxied: any ArtifactStore { destination }

    /// The store and the path in it of `location`, with `path` below it.
    func resolve(_ location: String, _ path: String) throws -> (store: any ArtifactStore, path: String) {
        let relative = try ArtifactLocation.relativePath(path)
        switch ArtifactLocation.scheme(of: location) {
        case "mlflow-artifacts", "http", "https":
            return (destination, Self.join(try ArtifactLocation.relativePath(Self.proxyPath(location)), relative))
        case "s3":
            guard let client, let place = ObjectLocation(location) else {
                throw MLflowError.invalid(
                    "The server cannot reach S3 artifacts: start it with MLFLOW_S3_ENDPOINT_URL and AWS credentials.")
            }
            let key = try ArtifactLocation.relativePath(place.key)
            return (ObjectArtifactStore(client: client, bucket: place.bucket, prefix: ""), Self.join(key, relative))
        case "", "file":
            if let localRoot {
                let plain = location.hasPrefix("file://") ? String(location.dropFirst(7)) : location
                let root = localRoot.path.hasSuffix("/") ? localRoot.path : localRoot.path + "/"
                if plain.hasPrefix(root) {
                    let below = try ArtifactLocation.relativePath(String(plain.dropping(bytesOf: root)))
                    return (localRoot.store, Self.join(below, relative))
                }
            }
            throw MLflowError.invalid(
                "The server does not read artifacts of local folders; use an mlflow-artifacts or s3 location.")
        case let scheme:
            throw MLflowError.unsupported("Artifact locations of the scheme '\(scheme.prefix(32))' are")
        }
    }

    /// The path of `mlflow-artifacts:/path`, `mlflow-artifacts://host/path` or the proxy's own URL.
    private static func proxyPath(_ location: String) -> String {
        guard var rest = location.divided(atFirst: ":")?.after else { return location }
        if rest.starts(withBytesOf: "//") { rest = rest.dropping(bytesOf: "//").divided(atFirst: "/")?.after ?? "" }
        rest = rest.droppingSlashes()
        let marker = "api/2.0/mlflow-artifacts/artifacts/"
        if let range = rest.firstRange(of: marker) { rest = rest[range.upperBound...] }
        return String(rest.droppingSlashes())
    }

    static func join(_ first: String, _ second: String) -> String {
        first.isEmpty ? second : second.isEmpty ? first : "\(first)/\(second)"
    }
}
