// The tracking role put together: database, artifact stores, the MLflow API, server.

import Bytes
import Console
import Database
import EventLoop
import Glibc
import HTTP
import Log
import MLflowAPI
import Metrics
import ObjectClient
import Server
import Tracking

/// What one tracking server is started with.
struct TrackRole: Sendable {
    /// The role's folder, made when it is missing.
    var folder: String
    /// A numeric address.
    var address = "127.0.0.1"
    var port = 5001
    /// A URI as `DatabaseLocation` reads it; nil keeps the database in `folder`.
    var backendStore: String?
    /// Where new experiments put artifacts, as clients see it; nil goes through this server.
    var artifactRoot: String?
    /// Where the proxy keeps them: `s3://bucket/prefix` or a folder; nil is a folder in `folder`.
    var artifactsDestination: String?
    /// Whether artifacts go through this server at all.
    var servesArtifacts = true
    /// Reaches `s3:` locations; nil when no endpoint is known.
    var objects: ObjectEndpoint?
    var allowedHosts: [String] = []

    /// A tracking server that serves.
    struct Running: Sendable {
        let server: Server
        let store: TrackingStore
    }

    /// Opens the database and begins to serve. Throws `UsageError`-like text, `DatabaseError` or `ListenError`.
    func start() async throws -> Running {
        mkdir(folder, 0o700)
        let pool = BlockingPool(name: "artifacts", threadCount: 8)
        let client = objects.map { ObjectClient(endpoint: $0) }
        let store = try await TrackingStore(
            location: try Self.database(backendStore, folder: folder),
            artifactRoot: artifactRoot ?? "mlflow-artifacts:/")
        let resolver = ArtifactResolver(
            destination: try destination(client, pool), client: client,
            localRoot: try artifactRoot.flatMap { root in
                guard ArtifactLocation.isLocal(root) else { return nil }
                let path = Self.plainPath(root)
                return (path, try FolderArtifactStore(folder: path, pool: pool))
            })
        let metrics = MetricsRegistry()
        var service = MLflowConfiguration()
        service.allowedHosts = allowedHosts
        service.metrics = metrics
        service.servesArtifacts = servesArtifacts
        var configuration = ServerConfiguration(role: "track", address: address, port: port)
        configuration.metrics = metrics
        configuration.faultResponse = { MLflowService.response(to: $0) }
        let api = MLflowService(store: store, artifacts: resolver, configuration: service).handler
        let handler = ConsolePages().handler(inFrontOf: api)
        let server = Server(configuration: configuration, handler: handler)
        try server.start()
        if let client { Task.detached { await warnOfArtifactRoot(client) } }
        return Running(server: server, store: store)
    }

    /// Says in the log what would fail with the first artifact: clients write to the root themselves and only see a code.
    private func warnOfArtifactRoot(_ client: ObjectClient) async {
        guard let artifactRoot, let place = ObjectLocation(artifactRoot) else { return }
        let logger = Logger(role: "track")
        let fields = [("bucket", place.bucket), ("endpoint", objects?.url ?? "")]
        do {
            if try await !client.bucketExists(place.bucket) {
                logger.warning("the artifact root's bucket is missing: make it, as `mc mb` does", fields)
            }
        } catch {
            let code = (error as? ObjectClientError)?.code ?? "\(error)"
            logger.warning(
                "the artifact root cannot be reached: check MLFLOW_S3_ENDPOINT_URL and the AWS_* credentials",
                fields + [("error", code)])
        }
    }

    private func destination(_ client: ObjectClient?, _ pool: BlockingPool) throws -> any ArtifactStore {
        guard let artifactsDestination else {
            return try FolderArtifactStore(folder: "\(folder)/artifacts", pool: pool)
        }
        if let place = ObjectLocation(artifactsDestination) {
            guard let client else {
                throw TrackRoleError(
                    "the artifacts destination \(artifactsDestination) needs an S3 endpoint: set MLFLOW_S3_ENDPOINT_URL, "
                        + "AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY")
            }
            let prefix = place.key.pieces(by: "/").joined(separator: "/")
            return ObjectArtifactStore(client: client, bucket: place.bucket, prefix: prefix)
        }
        guard ArtifactLocation.isLocal(artifactsDestination) else {
            throw TrackRoleError(
                "the artifacts destination \(artifactsDestination) is not supported in this release: give s3://bucket/prefix or a folder"
            )
        }
        return try FolderArtifactStore(folder: Self.plainPath(artifactsDestination), pool: pool)
    }

    /// The database behind an MLflow backend store URI; a file in `folder` without one.
    static func database(_ uri: String?, folder: String) throws(DatabaseError) -> DatabaseLocation {
        guard let uri, !uri.isEmpty else { return .file("\(folder)/tracking.db") }
        return try DatabaseLocation(uri: uri)
    }

    static func plainPath(_ location: String) -> String {
        guard location.hasPrefix("file:") else { return location }
        let rest = location.dropFirst("file:".count)
        return rest.hasPrefix("//") ? String(rest.dropFirst(2)) : String(rest)
    }
}

/// Why a tracking server cannot start as configured.
struct TrackRoleError: Error, CustomStringConvertible {
    let description: String
    init(_ description: String) { self.description = description }
}
