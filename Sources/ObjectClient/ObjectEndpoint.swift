import Bytes
package import Signatures

/// Where an S3 store stands and who asks.
package struct ObjectEndpoint: Sendable {
    /// `http://127.0.0.1:9000`, without a slash at its end.
    package let url: String
    package let region: String
    /// Nil asks without a signature.
    package let credential: SigningCredential?

    package init(url: String, region: String = "us-east-1", credential: SigningCredential?) {
        self.url = url.hasSuffix("/") ? String(url.dropLast()) : url
        self.region = region
        self.credential = credential
    }

    /// The authority of `url`: what a request names as its host.
    var host: String {
        guard let scheme = url.firstRange(of: "://") else { return url }
        return url[scheme.upperBound...].pieces(by: "/", maxSplits: 1).first.map(String.init) ?? ""
    }
}

/// `s3://bucket/key`, as MLflow, Triton and KServe write the place of objects.
package struct ObjectLocation: Sendable, Hashable {
    package let bucket: String
    /// Without a slash at its start; empty for the whole bucket.
    package let key: String
    /// `http://host:port` when the location names its own endpoint, as Triton's `s3://http://host:port/bucket/key` does.
    package let endpoint: String?

    /// Parses a location; nil when `text` is no `s3://` location or has no bucket.
    package init?(_ text: String) {
        guard text.starts(withBytesOf: "s3://") else { return nil }
        var rest = text.dropping(bytesOf: "s3://")
        var endpoint: String?
        for scheme in ["http://", "https://"] where rest.starts(withBytesOf: scheme) {
            let place = rest.dropping(bytesOf: scheme)
            let (authority, path) = place.divided(atFirst: "/") ?? (place, "")
            endpoint = scheme + authority
            rest = path
        }
        let (bucket, key) = rest.divided(atFirst: "/") ?? (rest, "")
        guard !bucket.isEmpty else { return nil }
        self.bucket = String(bucket)
        self.key = String(key)
        self.endpoint = endpoint
    }

    package init(bucket: String, key: String) {
        self.bucket = bucket
        self.key = key
        endpoint = nil
    }
}
