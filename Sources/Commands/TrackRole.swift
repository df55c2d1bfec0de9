// The tracking role put together: database, artifact stores, the MLflow API, server.

import Console
import Database
import EventLoop
import Glibc
import HTTP
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
    /// `sqlite:///relative.db` or `sqlite:////absolute.db`; nil keeps the database in `folder`.
    var backendStore: String?
    /// Where new experiments put artifacts, as clients see it; nil goes through this server.
    var artifactRoot: String?
    /// Where the proxy keeps them: `s3://bucket/prefix` or a folder; nil is a folder in `folder`.
    var artifactsDestination: String?
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
        var configuration = ServerConfiguration(role: "track", address: address, port: port)
        configuration.metrics = metrics
        configuration.faultResponse = { MLflowService.response(to: $0) }
        let api = MLflowService(store: store, artifacts: resolver, configuration: service).handler
        let handler = ConsolePages().handler(inFrontOf: api)
        let server = Server(configuration: configuration, handler: handler)
        try server.start()
        return Running(server: server, store: store)
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
            let prefix = place.key.split(separator: "/").joined(separator: "/")
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
