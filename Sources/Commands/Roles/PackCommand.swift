// `slipway pack`: the container of the document, started with its variables.

import EventLoop
import HTTPClient
import ObjectClient
import Packs
import PythonWorkers
import Runtimes
import Signatures

extension Command {
    /// `slipway pack`: one model pack behind POST /result.
    static let pack = Command(
        name: "pack", summary: "a model pack: sources and dated models as zips, served by Python workers",
        details: """
            Serves one model with its own Python code. Sources and models are zips in a storage, NAME/src/NAME.zip and
            NAME/model/YYYYMMDD.zip; /src_download and /model_download fetch the newest and switch to it without losing
            a request. The model runs in worker processes, never in the server.
            """,
        settings: CommonSettings.ofRole.filter { $0.name != CommonSettings.data.declaration.name } + PackSettings.all,
        examples: [
            (
                "MODEL_NAME=test_model MODEL_TYPE=tf slipway pack --storage s3://packs",
                "The document's model, its zips in a bucket"
            ),
            (
                "slipway pack --model-name iris --model-type sklearn --storage sftp://model@nas/packs",
                "A .pkl, its zips on a server; the password stands in MY_PASSWORD"
            ),
        ],
        run: runPack)
}

private func runPack(_ invocation: Invocation) async throws -> Int32 {
    let settings = invocation.settings
    let pool = BlockingPool(name: "pack", threadCount: 2, backlogCountMax: 256)
    let configuration = try packConfiguration(invocation, pool)
    var role = PackRole(configuration: configuration)
    role.address = settings[CommonSettings.address]
    role.port = settings[PackSettings.port]
    role.bodyBytesMax = settings[PackSettings.bodyBytes]
    let configured = role
    return try await RoleRunner.run("pack") {
        do {
            let (server, finish) = try await configured.start(pool)
            return RunningRole(servers: [("http", server)], finish: finish)
        } catch let error as PackError {
            throw UsageError(error.message)
        }
    }
}

private func packConfiguration(_ invocation: Invocation, _ pool: BlockingPool) throws -> PackConfiguration {
    let settings = invocation.settings
    guard let name = settings[PackSettings.name] else {
        throw UsageError("no model is named", hint: "Set MODEL_NAME, or give --model-name.")
    }
    guard let layout = PackLayout(name: name) else {
        throw UsageError("MODEL_NAME '\(name)' is not allowed; give letters, digits, dots, dashes and underscores")
    }
    guard let type = settings[PackSettings.type].flatMap({ PackType(rawValue: $0) }) else {
        throw UsageError("the type of model \(name) is not known", hint: "Set MODEL_TYPE to tf or sklearn.")
    }
    let runtime = RuntimeFolder(explicit: settings[CommonSettings.runtime])
    let explicit = settings[PackSettings.python]
    guard
        let interpreter = PythonInterpreter(
            explicit: explicit, runtimes: runtime.folders(holding: "python"), names: ["examples", "demo"])
    else {
        throw UsageError(
            explicit.map { "'\($0)' is no Python interpreter" } ?? "no Python environment is installed for model packs",
            hint: "Run scripts/setup examples, or name an interpreter with --python or SLIPWAY_PYTHON.")
    }
    var configuration = PackConfiguration(
        layout: layout, type: type, folder: settings[PackSettings.folder], interpreter: interpreter)
    configuration.storage = try packStorage(invocation, pool)
    configuration.installsRequirements = settings[PackSettings.installs]
    configuration.workerCount = settings[PackSettings.workers]
    configuration.limits.workers.queueCountMax = settings[PackSettings.queue]
    configuration.limits.workers.requestMilliseconds = UInt64(settings[PackSettings.requestTime])
    configuration.limits.workers.loadMilliseconds = UInt64(settings[PackSettings.loadTime])
    configuration.limits.unpackedBytesMax = Int64(settings[PackSettings.unpackedBytes])
    configuration.environment = invocation.environment
    return configuration
}

private func packStorage(_ invocation: Invocation, _ pool: BlockingPool) throws -> (any PackStorage)? {
    let settings = invocation.settings
    guard let text = settings[PackSettings.storage] ?? settings[PackSettings.sftpHost].map({ "sftp://\($0)/~" }) else {
        return nil
    }
    if text.hasPrefix("s3://") {
        guard let location = ObjectLocation(text) else {
            throw UsageError("--storage '\(text)' names no bucket", hint: "Write s3://BUCKET or s3://BUCKET/PREFIX.")
        }
        return ObjectPackStorage(
            client: ObjectClient(endpoint: ObjectStoreSettings.store(of: settings)), location: location, pool: pool)
    }
    if text.hasPrefix("sftp://") {
        return try sftpStorage(text, settings, invocation.environment, pool)
    }
    if let scheme = text.firstRange(of: "://") {
        let name = text[..<scheme.lowerBound]
        throw UsageError(
            "--storage \(name)://… is not supported",
            hint: "Packs are read from s3://, from a folder and from sftp://; copy them there, for example with mc.")
    }
    return FolderStorage(path: text, pool: pool)
}

private func sftpStorage(
    _ text: String, _ settings: Settings, _ environment: [String: String], _ pool: BlockingPool
) throws -> SFTPStorage {
    guard let location = SFTPLocation(text) else {
        throw UsageError(
            "the SFTP storage is no sftp://user@host:port/folder",
            hint: "The password does not belong there: put it into MY_PASSWORD.")
    }
    var credential = SFTPCredential()
    guard let user = location.user ?? settings[PackSettings.sftpUser] else {
        throw UsageError("the SFTP storage names no user", hint: "Set MY_USER_NAME, or write sftp://user@host/folder.")
    }
    credential.user = user
    credential.password = settings[PackSettings.sftpPassword]
    credential.keyPath = settings[PackSettings.sftpKey]
    credential.passphrase = settings[PackSettings.sftpPassphrase]
    guard credential.password != nil || credential.keyPath != nil else {
        throw UsageError("SFTP needs a password or a key", hint: "Set MY_PASSWORD, or give --sftp-key FILE.")
    }
    credential.knownHostsPath =
        settings[PackSettings.knownHosts] ?? environment["HOME"].map { "\($0)/.ssh/known_hosts" }
    credential.hostKeySHA256 = settings[PackSettings.hostKey].map { String($0.dropFirst("SHA256:".count)) }
    return SFTPStorage(client: SFTPClient(location: location, credential: credential), pool: pool)
}
