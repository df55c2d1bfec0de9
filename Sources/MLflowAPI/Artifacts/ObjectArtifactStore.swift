import Bytes
package import HTTP
import HTTPClient
import Log
package import ObjectClient
import Synchronization

/// Artifacts in an S3 bucket, below a prefix. Bytes stream through in both directions; nothing is kept here.
package final class ObjectArtifactStore: ArtifactStore {
    private let client: ObjectClient
    private let bucket: String
    private let prefix: String
    private let log = Logger(role: "track")
    private let bucketIsKnown = Mutex(false)

    /// `prefix` without a slash at either end; empty for the whole bucket.
    package init(client: ObjectClient, bucket: String, prefix: String) {
        self.client = client
        self.bucket = bucket
        self.prefix = prefix
    }

    package func list(_ path: String) async throws -> [ArtifactEntry] {
        let folder = path.isEmpty ? (prefix.isEmpty ? "" : prefix + "/") : key(path) + "/"
        return try await mapped {
            var out: [ArtifactEntry] = []
            var token: String?
            repeat {
                let page = try await client.list(
                    bucket: bucket, prefix: folder, delimiter: "/", continuationToken: token)
                for object in page.objects where object.key != folder {
                    out.append(
                        ArtifactEntry(
                            name: String(object.key.dropping(bytesOf: folder)), isFolder: false, size: object.size))
                }
                for name in page.commonPrefixes {
                    out.append(
                        ArtifactEntry(
                            name: String(name.dropping(bytesOf: folder).droppingLastSlash()), isFolder: true, size: nil)
                    )
                }
                token = page.continuationToken
            } while token != nil && out.count < 100_000
            return out.sorted { $0.name < $1.name }
        }
    }

    package func read(_ path: String) async throws -> (length: Int?, body: ResponseBody) {
        let response = try await mapped { try await client.get(bucket: bucket, key: key(path)) }
        let length = response.fields["Content-Length"].flatMap { Int($0) }
        return (
            length,
            .stream(length: length) { writer in
                while let chunk = try await response.body.next() { try await writer.write(chunk) }
            }
        )
    }

    package func write(_ path: String, _ body: RequestBody) async throws {
        try await ensureBucket()
        let content: ClientRequestBody = body.length == 0 ? .bytes([]) : .stream(body)
        try await mapped { try await client.put(bucket: bucket, key: key(path), body: content, length: body.length) }
    }

    package func delete(_ path: String) async throws {
        try await mapped {
            try await client.delete(bucket: bucket, key: key(path))
            for object in try await client.listAll(bucket: bucket, prefix: key(path) + "/", countMax: 100_000) {
                try await client.delete(bucket: bucket, key: object.key)
            }
        }
    }

    /// Makes the bucket before the first write, as the `mc mb --ignore-existing` of a compose file does.
    private func ensureBucket() async throws {
        if bucketIsKnown.withLock({ $0 }) { return }
        try await mapped {
            if try await !client.bucketExists(bucket) { try await client.createBucket(bucket) }
        }
        bucketIsKnown.withLock { $0 = true }
    }

    private func key(_ path: String) -> String { prefix.isEmpty ? path : "\(prefix)/\(path)" }

    /// What stores say of a wrong key; an answer to HEAD has only its status.
    private static let credentialRefusals: Set<String> = [
        "InvalidAccessKeyId", "SignatureDoesNotMatch", "AccessDenied", "Status403",
    ]

    /// Runs `body`; a refusal of the object store becomes an answer that says so.
    @discardableResult
    private func mapped<Value>(_ body: () async throws -> Value) async throws -> Value {
        do { return try await body() } catch let error as ObjectClientError {
            if error.isNotFound { throw MLflowError.missing("No such artifact in the object store (\(error.code)).") }
            // Clients of MLflow show no more of a 5xx than its number, so the reason must stand here.
            log.warning("the artifact store gives no artifacts", [("code", error.code), ("error", error.message)])
            // No 5xx: clients repeat those for minutes and then hide the message, and asking again does not mend a key.
            if Self.credentialRefusals.contains(error.code) {
                throw MLflowError.forbidden(
                    """
                    The artifact store refuses the tracking server's credential (\(error.code)): start the server with \
                    the right AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY.
                    """)
            }
            throw MLflowError(
                status: error.status == 0 ? .serviceUnavailable : .badGateway, code: "TEMPORARILY_UNAVAILABLE",
                message: "The artifact store answered \(error.code): check its address, credentials and health.")
        }
    }
}
