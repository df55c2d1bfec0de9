import Database
import Glibc
import MLflowAPI
import ObjectClient
import Signatures
import Tracking

extension Command {
    /// `slipway track`: experiment tracking and the model registry.
    static let track = Command(
        name: "track", summary: "experiment tracking and model registry (MLflow)",
        details: """
            Serves the MLflow REST API and the artifact proxy. The flags of `mlflow server` work; so do the AWS_* variables
            that MLflow reads for an S3 artifact store.
            """,
        settings: CommonSettings.ofRole + TrackSettings.all,
        positional: "[server]", positionalChoices: ["server"],
        examples: [
            ("slipway track", "SQLite and a folder in ./slipway-data/track, on port 5001"),
            (
                "slipway track --artifacts-destination s3://mlflow --s3-endpoint http://127.0.0.1:9000",
                "Artifacts in an object store"
            ),
        ],
        run: runTrack)
}

enum TrackSettings {
    static let port = Setting<Int>.port(
        "port", aliases: ["-p"], environment: ["MLFLOW_PORT"], default: 5001, help: "Port of the REST API.")

    static let host = Setting<String?>.optional(
        "host", aliases: ["-h"], environment: ["MLFLOW_HOST"], placeholder: "ADDRESS", allowed: "a numeric address",
        help: "Address to listen on, as `mlflow server` spells --bind.")

    static let backendStore = Setting<String?>.optional(
        "backend-store-uri", environment: ["MLFLOW_BACKEND_STORE_URI"], placeholder: "URI",
        allowed: "sqlite:///FILE", help: "The database; a file in the data folder when unset.")

    static let artifactRoot = Setting<String?>.optional(
        "default-artifact-root", environment: ["MLFLOW_DEFAULT_ARTIFACT_ROOT"], placeholder: "URI",
        allowed: "s3://BUCKET/PREFIX, a folder, or mlflow-artifacts:/",
        help: "Where new experiments put artifacts; through this server when unset.")

    static let artifactsDestination = Setting<String?>.optional(
        "artifacts-destination", environment: ["MLFLOW_ARTIFACTS_DESTINATION"], placeholder: "URI",
        allowed: "s3://BUCKET/PREFIX or a folder",
        help: "Where this server keeps the artifacts it proxies; a folder in the data folder when unset.")

    static let servesArtifacts = Setting<Bool>.toggle(
        "serve-artifacts", environment: ["MLFLOW_SERVE_ARTIFACTS"], default: true,
        help: "Accepted for MLflow's command lines; artifacts are always served.")

    static let allowedHosts = Setting<String?>.optional(
        "allowed-hosts", environment: ["MLFLOW_SERVER_ALLOWED_HOSTS"], placeholder: "HOST[,HOST]",
        allowed: "host names with commas, or *", help: "Host fields accepted beside local and private addresses.")

    static let s3Endpoint = Setting<String?>.optional(
        "s3-endpoint", environment: ["MLFLOW_S3_ENDPOINT_URL", "AWS_ENDPOINT_URL"], placeholder: "URL",
        allowed: "an http or https URL", help: "The object store that s3:// locations mean.",
        where: { $0.hasPrefix("http://") || $0.hasPrefix("https://") })

    static let accessKey = Setting<String?>.optional(
        "access-key", environment: ["AWS_ACCESS_KEY_ID"], placeholder: "NAME",
        help: "Access key for the object store; the root user when unset.")

    static let secretKey = Setting<String?>.optional(
        "secret-key", environment: ["AWS_SECRET_ACCESS_KEY"], placeholder: "SECRET",
        help: "Secret key for the object store.", isSecret: true)

    static let region = Setting<String>.text(
        "region", environment: ["AWS_REGION", "AWS_DEFAULT_REGION"], placeholder: "NAME", default: "us-east-1",
        help: "Region to sign requests to the object store for.")

    static let all =
        [
            port.declaration, host.declaration, backendStore.declaration, artifactRoot.declaration,
            artifactsDestination.declaration, servesArtifacts.declaration, allowedHosts.declaration,
        ] + objectStore

    /// The settings of a role that reads and writes an object store.
    static let objectStore = [s3Endpoint.declaration, accessKey.declaration, secretKey.declaration, region.declaration]

    /// The object store these settings name, or nil.
    static func objectEndpoint(_ settings: Settings) -> ObjectEndpoint? {
        guard let url = settings[s3Endpoint] else { return nil }
        var credential: SigningCredential?
        if let user = settings[accessKey] ?? settings[CommonSettings.rootUser],
            let secret = settings[secretKey] ?? settings[CommonSettings.rootPassword]
        {
            credential = SigningCredential(accessKey: user, secretKey: secret)
        }
        return ObjectEndpoint(url: url, region: settings[region], credential: credential)
    }
}

private func runTrack(_ invocation: Invocation) async throws -> Int32 {
    let settings = invocation.settings
    let folder = "\(settings[CommonSettings.data])/track"
    try Folder.make(folder)
    var role = TrackRole(folder: Folder.absolute(folder))
    role.address = settings[TrackSettings.host] ?? settings[CommonSettings.address]
    role.port = settings[TrackSettings.port]
    role.backendStore = settings[TrackSettings.backendStore]
    role.artifactRoot = settings[TrackSettings.artifactRoot]
    role.artifactsDestination = settings[TrackSettings.artifactsDestination]
    role.objects = TrackSettings.objectEndpoint(settings)
    role.allowedHosts = settings[TrackSettings.allowedHosts]?.split(separator: ",").map(String.init) ?? []
    return try await RoleRunner.run("track") {
        let running = try await role.start()
        return RunningRole(servers: [("http", running.server)])
    }
}
