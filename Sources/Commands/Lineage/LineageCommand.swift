import Bytes
import Console
import Formats
import Glibc
import HTTPClient
import ObjectClient
import Signatures

extension Command {
    /// `slipway lineage MODEL`: where a served model comes from.
    static let lineage = Command(
        name: "lineage", summary: "where a served model comes from: version, run, workflow step, objects",
        details: """
            Asks the inference server, the tracking server, the cluster and the object store by their public protocols, and
            changes nothing. A part that is missing or cannot be asked is named in its place; an unknown model ends with
            status 1. Runs of workflow steps are tied to their step by themselves; other scripts set the tags
            slipway.workflow (NAMESPACE/NAME), slipway.step, slipway.pod (NAMESPACE/NAME) and slipway.objects (s3://...) on
            a run or a version, and slipway.served (MODEL/VERSION) on a version. The cluster's address and token come from
            its kubeconfig, the store's keys from the environment or the data folder.
            """,
        settings: LineageSettings.all, positional: "MODEL",
        examples: [
            ("slipway lineage mnist", "What is served as mnist, and all that led to it"),
            ("slipway lineage mnist --version 2 --json", "An older version, for a program to read"),
            (
                "slipway lineage mnist --infer-url http://10.0.0.5:8000 --track-url http://10.0.0.5:5001",
                "Servers on another machine"
            ),
        ],
        run: runLineage)
}

enum LineageSettings {
    static let version = Setting<String?>.optional(
        "version", placeholder: "N", allowed: "the version of the registry",
        help: "The version to show; when unset, what is served, else what has an alias, else the newest.")

    static let trackURL = Setting<String>.text(
        "track-url", environment: ["SLIPWAY_TRACK_URL", "MLFLOW_TRACKING_URI"], placeholder: "URL",
        default: "http://127.0.0.1:5001", allowed: "http://host:port or https://host:port",
        help: "The tracking server.",
        where: { $0.hasPrefix("http://") || $0.hasPrefix("https://") })

    static let kubeconfig = Setting<String?>.optional(
        "kubeconfig", environment: ["SLIPWAY_KUBECONFIG", "KUBECONFIG"], placeholder: "FILE",
        allowed: "the path of a file",
        help: "Client configuration of the cluster; kubeconfig in the data folder when unset.")

    static let all =
        [
            version.declaration, OutputSettings.json.declaration, ConsoleSettings.inferURL.declaration,
            trackURL.declaration, kubeconfig.declaration, ConsoleSettings.storeAuthority.declaration,
        ] + ObjectStoreSettings.all + common

    private static let common = [
        CommonSettings.config.declaration, CommonSettings.data.declaration, CommonSettings.rootUser.declaration,
        CommonSettings.rootPassword.declaration, CommonSettings.rootUserFile.declaration,
        CommonSettings.rootPasswordFile.declaration,
    ]
}

private func runLineage(_ invocation: Invocation) async throws -> Int32 {
    let settings = invocation.settings
    guard let model = invocation.words.first, !model.isEmpty else {
        throw UsageError("which model?", hint: "Write slipway lineage MODEL; `slipway lineage --help` shows the rest.")
    }
    if let word = invocation.words.dropFirst().first { throw UsageError("unexpected word '\(word)'") }
    let client = LineagePeers.client()
    let track = LineagePeer(
        name: "tracking server", url: settings[LineageSettings.trackURL],
        remedy: "start it with `slipway track`, or name another with --track-url", client: client)
    let authority = LineageAuthority()
    defer { authority.remove() }
    let gatherer = LineageGatherer(
        model: model, askedVersion: settings[LineageSettings.version],
        infer: LineagePeer(
            name: "inference server", url: settings[ConsoleSettings.inferURL],
            remedy: "start it with `slipway infer`, or name another with --infer-url", client: client),
        track: track, objects: LineageObjects(store: try LineagePeers.store(settings), track: track),
        steps: LineageSteps(cluster: LineagePeers.cluster(settings, authority)))
    let lineage = try await gatherer.gather()
    Output.line(settings[OutputSettings.json] ? String(utf8: lineage.json.indented) : lineage.text)
    return 0
}

/// The servers, as settings name them.
private enum LineagePeers {
    static func client(authorityPath: String? = nil) -> HTTPClient {
        var configuration = HTTPClient.Configuration()
        configuration.connectTimeoutMilliseconds = 3000
        configuration.authorityPath = authorityPath
        return HTTPClient(configuration: configuration)
    }

    /// The store, with the keys that are given, else the root credential of the data folder; none is made.
    static func store(_ settings: Settings) throws -> ObjectClient {
        var endpoint = ObjectStoreSettings.store(of: settings)
        if endpoint.credential == nil,
            let root = try RootCredential.find(settings, folder: settings[CommonSettings.data])
        {
            endpoint = ObjectEndpoint(
                url: endpoint.url, region: endpoint.region,
                credential: SigningCredential(accessKey: root.user, secretKey: root.password))
        }
        return ObjectClient(
            endpoint: endpoint, client: client(authorityPath: settings[ConsoleSettings.storeAuthority]))
    }

    /// The cluster that the kubeconfig names; of several with colons between them, the first that exists.
    static func cluster(_ settings: Settings, _ authority: LineageAuthority) -> Part<LineagePeer> {
        let list = settings[LineageSettings.kubeconfig] ?? "\(settings[CommonSettings.data])/kubeconfig"
        let remedy = "start the cluster with `slipway cluster`, or name its file with --kubeconfig or --data"
        do {
            for path in list.pieces(by: ":") {
                guard let text = try PrivateFile.read(String(path)) else { continue }
                let access = try ClusterAccess(text)
                let file = try access.authority.map(authority.write) ?? access.authorityPath
                return .found(
                    LineagePeer(
                        name: "cluster", url: access.server, remedy: remedy, client: client(authorityPath: file),
                        token: access.token))
            }
        } catch let error as ConsoleError {
            return .unknown("\(list): \(error.message)")
        } catch {
            return .unknown("\(error)")
        }
        return .unknown("there is no \(list): \(remedy)")
    }
}

/// A cluster's authority as the file that the HTTP client wants, for as long as the command runs.
private final class LineageAuthority {
    private var path: String?

    func write(_ authority: [UInt8]) throws -> String {
        let folder = Environment.current["TMPDIR"] ?? "/tmp"
        let path = "\(folder)/slipway-lineage-\(Base64.encodeURLSafe(Randomness.bytes(12))).pem"
        try PrivateFile.write(path, authority)
        self.path = path
        return path
    }

    func remove() {
        if let path { unlink(path) }
    }
}
