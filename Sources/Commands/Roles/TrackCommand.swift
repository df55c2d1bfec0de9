import Bytes
import Database
import Glibc
import MLflowAPI
import ObjectClient
import Tracking

extension Command {
    /// `slipway track`: experiment tracking and the model registry.
    static let track = Command(
        name: "track", summary: "experiment tracking and model registry (MLflow)",
        details: """
            Serves the MLflow REST API and the artifact proxy. The flags and MLFLOW_* variables of `mlflow server` work, and
            the AWS_* variables that it reads for an S3 artifact store. Called through a link named mlflow, the program takes
            `mlflow server ...` as it stands. A password is better kept in MLFLOW_BACKEND_STORE_URI, or as PGPASSWORD, than on
            the command line, which every user of the machine can read.
            """,
        settings: CommonSettings.ofRole + TrackSettings.all,
        positional: "[server]", positionalChoices: ["server"],
        examples: [
            ("slipway track", "SQLite and a folder in ./slipway-data/track, on port 5001"),
            (
                "slipway track --artifacts-destination s3://mlflow --s3-endpoint http://127.0.0.1:9000",
                "Artifacts in an object store"
            ),
            (
                "slipway track server --backend-store-uri postgresql://USER:PASSWORD@HOST/mlflow "
                    + "--default-artifact-root s3://mlflow/ --host 0.0.0.0",
                "As an MLflow server is started: rows in PostgreSQL, clients write artifacts to S3 themselves"
            ),
        ],
        run: runTrack)
}

enum TrackSettings {
    static let port = Setting<Int>.port(
        "port", aliases: ["-p"], environment: ["MLFLOW_PORT"], default: 5001, help: "Port of the REST API.")

    static let host = Setting<String?>.optional(
        "host", aliases: ["-h"], environment: ["MLFLOW_HOST"], placeholder: "ADDRESS",
        allowed: "a numeric address or localhost", help: "Address to listen on, as `mlflow server` spells --bind.")

    static let backendStore = Setting<String?>.optional(
        "backend-store-uri", environment: ["MLFLOW_BACKEND_STORE_URI"], placeholder: "URI",
        allowed: "sqlite:///FILE or postgresql://USER:PASSWORD@HOST:PORT/DATABASE",
        help: "The database; a file in the data folder when unset.", isSecret: true)

    static let registryStore = Setting<String?>.optional(
        "registry-store-uri", environment: ["MLFLOW_REGISTRY_STORE_URI"], placeholder: "URI",
        allowed: "the backend store's URI",
        help: "Accepted for MLflow's command lines when it is the backend store: the registry is kept there.",
        isSecret: true)

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
        help: "Serve artifacts through this server; without it --default-artifact-root has to be given.")

    static let workers = Setting<Int>.integer(
        "workers", aliases: ["-w"], environment: ["MLFLOW_WORKERS"], default: 1, range: 1...1024,
        help: "Accepted for MLflow's command lines; one process serves with an event loop for each core.")

    static let prometheus = Setting<String?>.optional(
        "expose-prometheus", environment: ["MLFLOW_EXPOSE_PROMETHEUS"], placeholder: "FOLDER",
        help: "Accepted for MLflow's command lines; /metrics is always served, and no folder is needed.")

    static let gunicorn = Setting<String?>.optional(
        "gunicorn-opts", environment: ["MLFLOW_GUNICORN_OPTS"], placeholder: "TEXT",
        help: "Accepted for MLflow's command lines; there is no gunicorn here.")

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
            port.declaration, host.declaration, backendStore.declaration, registryStore.declaration,
            artifactRoot.declaration, artifactsDestination.declaration, servesArtifacts.declaration,
            allowedHosts.declaration, workers.declaration, prometheus.declaration, gunicorn.declaration,
        ] + objectStore

    /// The settings of a role that reads and writes an object store.
    static let objectStore = [s3Endpoint.declaration, accessKey.declaration, secretKey.declaration, region.declaration]

    /// The object store these settings name, or nil.
    static func objectEndpoint(_ settings: Settings) -> ObjectEndpoint? {
        guard let url = settings[s3Endpoint] else { return nil }
        return ObjectEndpoint(
            url: url, region: settings[region],
            credential: ObjectStoreSettings.credential(settings[accessKey], settings[secretKey], settings))
    }
}

private func runTrack(_ invocation: Invocation) async throws -> Int32 {
    let role = try trackRole(invocation)
    return try await RoleRunner.run("track") {
        let running = try await start(role)
        return RunningRole(servers: [("http", running.server)]) { await running.store.close() }
    }
}

private func trackRole(_ invocation: Invocation) throws -> TrackRole {
    let settings = invocation.settings
    if let word = invocation.words.first(where: { $0 != "server" }) {
        throw UsageError("unexpected word '\(word)'", hint: "Of MLflow's commands only `server` and `ui` are here.")
    }
    if let registry = settings[TrackSettings.registryStore], registry != settings[TrackSettings.backendStore] {
        throw UsageError("the registry is kept in the backend store: leave out --registry-store-uri")
    }
    guard settings[TrackSettings.servesArtifacts] || settings[TrackSettings.artifactRoot] != nil else {
        throw UsageError(
            "--no-serve-artifacts leaves clients no place for artifacts",
            hint: "Name one that they reach themselves, such as --default-artifact-root s3://mlflow/")
    }
    let folder = "\(settings[CommonSettings.data])/track"
    try Folder.make(folder)
    var role = TrackRole(folder: Folder.absolute(folder))
    let host = settings[TrackSettings.host] ?? settings[CommonSettings.address]
    role.address = host == "localhost" ? "127.0.0.1" : host
    role.port = settings[TrackSettings.port]
    role.backendStore = settings[TrackSettings.backendStore]
    role.artifactRoot = settings[TrackSettings.artifactRoot]
    role.artifactsDestination = settings[TrackSettings.artifactsDestination]
    role.servesArtifacts = settings[TrackSettings.servesArtifacts]
    role.objects = TrackSettings.objectEndpoint(settings)
    role.allowedHosts = settings[TrackSettings.allowedHosts]?.pieces(by: ",").map(String.init) ?? []
    return role
}

/// Starts `role`; a database that cannot be opened becomes a message that says which and why.
private func start(_ role: TrackRole) async throws -> TrackRole.Running {
    do { return try await role.start() } catch let error as DatabaseError {
        throw CommandFailure(
            error.message.hasPrefix("cannot connect") || error.message.hasPrefix("the backend store URI")
                ? error.message : "cannot open the tracking database: \(error.message)")
    }
}
