import Bytes
import HTTP
import Objects

/// Which bucket and key a request is about, in path style (`/bucket/key`) or virtual-host style (`bucket.domain`).
struct S3Address: Sendable {
    /// Empty for the service itself.
    let bucket: String
    /// Empty for the bucket itself. Decoded; `..`, `//` and a leading `/` are ordinary characters of it.
    let key: String

    /// The bucket that the host names, in virtual-host style.
    let bucketOfHost: String?

    /// Throws `InvalidURI` when the path is not percent-encoded UTF-8.
    init(path: Substring, host: String?, domains: [String]) throws(S3Error) {
        guard let decoded = PercentCoding.decode(path) else {
            throw S3Error(.invalidURI, "Couldn't parse the specified URI: it is not percent-encoded UTF-8 without NUL.")
        }
        self.init(decodedPath: decoded, bucketOfHost: host.flatMap { Self.bucket(ofHost: $0, domains: domains) })
    }

    /// The bucket and key of a decoded path; of the whole path as key when the host names the bucket.
    init(decodedPath decoded: String, bucketOfHost: String? = nil) {
        let rest = decoded.utf8.first == UInt8(ascii: "/") ? decoded.utf8.dropFirst() : decoded.utf8[...]
        self.bucketOfHost = bucketOfHost
        if let bucketOfHost {
            bucket = bucketOfHost
            key = String(utf8: rest)
            return
        }
        let slash = rest.firstIndex(of: UInt8(ascii: "/")) ?? rest.endIndex
        bucket = String(utf8: rest[..<slash])
        key = slash == rest.endIndex ? "" : String(utf8: rest[rest.index(after: slash)...])
    }

    private static func bucket(ofHost host: String, domains: [String]) -> String? {
        guard !domains.isEmpty else { return nil }
        let name = host.pieces(by: ":", maxSplits: 1).first.map { $0.lowercased() } ?? ""
        for domain in domains where name.hasSuffix(".\(domain)") {
            return String(name.dropLast(domain.count + 1))
        }
        return nil
    }
}
