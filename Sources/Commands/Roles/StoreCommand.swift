import Bytes
import EventLoop
import Glibc
import Log
import Objects
import S3API

extension Command {
    /// `slipway store`: the object store.
    static let store = Command(
        name: "store", summary: "object store (S3)",
        details: """
            Serves the S3 protocol over a folder. `slipway store server FOLDER --address :9002` starts as MinIO's
            container image does; an address without a host listens on --bind.
            """,
        settings: CommonSettings.ofRole + [
            StoreSettings.address.declaration, StoreSettings.console.declaration,
            StoreSettings.consoleURL.declaration, StoreSettings.browserRedirect.declaration,
            StoreSettings.browser.declaration, StoreSettings.certificates.declaration,
            StoreSettings.volumes.declaration,
            StoreSettings.region.declaration, StoreSettings.domain.declaration,
            StoreSettings.metricsAuthentication.declaration,
            StoreSettings.accessKeys.declaration,
        ],
        positional: "[server] [FOLDER]", positionalChoices: ["server"],
        examples: [
            ("slipway store", "A store in ./slipway-data/store on port 9000"),
            (
                "MINIO_ROOT_USER=minio MINIO_ROOT_PASSWORD=miniostorage slipway store server /data --address :9002",
                "As a MinIO server is started"
            ),
            ("slipway store --address :9002 --console-address :9003", "With its web console on another port"),
        ],
        run: runStore)
}

enum StoreSettings {
    static let address = Setting<String>.text(
        "address", environment: ["MINIO_ADDRESS"], placeholder: "[HOST]:PORT", default: ":9000",
        allowed: "[HOST]:PORT, the host numeric", help: "Where S3 is served.", where: { HostAndPort($0) != nil })

    static let console = Setting<String?>.optional(
        "console-address", environment: ["MINIO_CONSOLE_ADDRESS"], placeholder: "[HOST]:PORT",
        allowed: "[HOST]:PORT, the host numeric",
        help:
            "Where a web console of this store is served; none when unset. Browsers that open S3's port are sent there.",
        where: { HostAndPort($0) != nil })

    static let consoleURL = Setting<String?>.optional(
        "console-url", environment: ["MINIO_BROWSER_REDIRECT_URL"], placeholder: "URL",
        allowed: "http://host:port or https://host:port",
        help: "The console as people reach it; the host by which a browser came, with its port, when unset.",
        where: { $0.hasPrefix("http://") || $0.hasPrefix("https://") })

    static let browserRedirect = Setting<Bool>.toggle(
        "browser-redirect", environment: ["MINIO_BROWSER_REDIRECT"], default: true,
        help: "Send browsers that open the port of S3 to the console.")

    static let browser = Setting<String>.choice(
        "browser", environment: ["MINIO_BROWSER"], default: "on", of: ["on", "off"],
        help: "off opens no web console, whatever --console-address says.")

    static let certificates = Setting<String?>.optional(
        "certs-dir", aliases: ["-S"], environment: ["MINIO_CERTS_DIR"], placeholder: "FOLDER",
        allowed: "the path of a folder",
        help:
            "Serves TLS with public.crt and private.key of this folder; a certificate with an authority of its own is made there when it has none."
    )

    static let volumes = Setting<String?>.optional(
        "volumes", environment: ["MINIO_VOLUMES"], placeholder: "FOLDER", allowed: "the path of one folder",
        help: "The folder, when none is given as a word.")

    static let region = Setting<String?>.optional(
        "region", environment: ["MINIO_REGION", "MINIO_REGION_NAME", "MINIO_SITE_REGION"], placeholder: "NAME",
        allowed: "a region name such as us-east-1", help: "The region clients must sign for; any when unset.")

    static let domain = Setting<String?>.optional(
        "domain", environment: ["MINIO_DOMAIN"], placeholder: "NAME[,NAME]", allowed: "domain names with commas",
        help: "Domains under which buckets are addressed as host names.")

    static let metricsAuthentication = Setting<String>.choice(
        "metrics-auth", environment: ["MINIO_PROMETHEUS_AUTH_TYPE"], default: "jwt", of: ["jwt", "public"],
        help: "Who may read the metrics: the root user, or everybody.")

    static let accessKeys = Setting<String?>.optional(
        "access-keys", environment: ["SLIPWAY_STORE_ACCESS_KEYS"], placeholder: "NAME:SECRET[,...]",
        allowed: "pairs NAME:SECRET with commas, secrets of 8 characters or more",
        help: "Further users beside the root user; each sees and owns the buckets it makes.", isSecret: true,
        where: { Self.pairs($0) != nil })

    /// The credentials in a list of pairs, or nil when it is ill-formed.
    static func pairs(_ text: String) -> [StoreCredential]? {
        var credentials: [StoreCredential] = []
        for pair in text.pieces(by: ",", omittingEmptySubsequences: false) {
            let parts = pair.pieces(by: ":", maxSplits: 1)
            guard parts.count == 2, parts[0].utf8.count >= 3, parts[1].utf8.count >= 8 else { return nil }
            credentials.append(StoreCredential(accessKey: String(parts[0]), secretKey: String(parts[1])))
        }
        return credentials
    }
}

/// `[HOST]:PORT`; the host is nil when it is left out.
struct HostAndPort: Sendable, Equatable {
    let host: String?
    let port: Int

    init?(_ text: String) {
        guard let colon = text.lastIndex(of: ":"), let port = Int(text[text.index(after: colon)...]),
            (0...65535).contains(port)
        else { return nil }
        var host = text[..<colon]
        if host.hasPrefix("["), host.hasSuffix("]") { host = host.dropFirst().dropLast() }
        self.host = host.isEmpty ? nil : String(host)
        self.port = port
    }
}

/// The certificate of a folder in MinIO's layout, or one made there.
private func certificates(_ folder: String, address: String) throws -> TLSConfiguration {
    let certificate = "\(folder)/public.crt"
    let key = "\(folder)/private.key"
    switch (access(certificate, R_OK) == 0, access(key, R_OK) == 0) {
    case (true, true): return TLSConfiguration(certificatePath: certificate, privateKeyPath: key)
    case (true, false): throw CommandFailure("\(key) is missing beside public.crt", hint: "Put the private key there.")
    case (false, true):
        throw CommandFailure("\(certificate) is missing beside private.key", hint: "Put the chain there.")
    case (false, false): break
    }
    try Folder.make(folder)
    var names = ["localhost", "127.0.0.1", "::1"]
    if !["0.0.0.0", "::"].contains(address), !names.contains(address) { names.append(address) }
    do throws(TLSError) {
        let made = try GeneratedCertificate.prepare(folder: folder, names: names)
        Logger(role: "store").info(
            "serving TLS with a certificate made here; clients trust it by its authority",
            [("authority", made.authorityPath)])
        return made.configuration
    } catch {
        throw CommandFailure("cannot make a certificate in \(folder): \(error)")
    }
}

private func runStore(_ invocation: Invocation) async throws -> Int32 {
    let settings = invocation.settings
    var words = invocation.words[...]
    if words.first == "server" { words = words.dropFirst() }
    guard words.count <= 1 else {
        throw UsageError(
            "one folder, not \(words.count)",
            hint: "Erasure coding over several drives is not supported; use one folder.")
    }
    let data = settings[CommonSettings.data]
    let folder = words.first ?? settings[StoreSettings.volumes] ?? "\(data)/store"
    let isListed = words.isEmpty && settings[StoreSettings.volumes]?.contains(" ") == true
    guard !folder.contains("{"), !isListed, !folder.hasPrefix("http") else {
        throw UsageError(
            "'\(folder)' names several drives or servers",
            hint: "Erasure coding over several drives is not supported; use one folder.")
    }
    try Folder.make(folder)
    // The credential stands beside the role's folder when it was chosen by --data, else inside the folder given.
    let home = words.first ?? settings[StoreSettings.volumes] ?? data
    let root = try RootCredential.resolve(settings, folder: home)
    var configuration = S3Configuration(
        credentials: [StoreCredential(accessKey: root.user, secretKey: root.password)]
            + (settings[StoreSettings.accessKeys].flatMap { StoreSettings.pairs($0) } ?? []))
    configuration.region = settings[StoreSettings.region]
    configuration.domains = settings[StoreSettings.domain]?.pieces(by: ",").map(String.init) ?? []
    configuration.metricsArePublic = settings[StoreSettings.metricsAuthentication] == "public"
    let listen = HostAndPort(settings[StoreSettings.address])
    var role = StoreRole(
        folder: folder, address: listen?.host ?? settings[CommonSettings.address], port: listen?.port ?? 9000,
        s3: configuration)
    if root.isNew { Output.line("root user \(root.user), password \(root.password) (kept in \(home), shown once)") }
    if settings[StoreSettings.browser] == "on" {
        role.console = settings[StoreSettings.console].flatMap { HostAndPort($0) }
    }
    role.tls = try settings[StoreSettings.certificates].map { try certificates($0, address: role.address) }
    role.consoleURL = settings[StoreSettings.consoleURL]
    role.redirectsBrowsers = settings[StoreSettings.browserRedirect]
    let configured = role
    return try await RoleRunner.run("store") {
        do {
            let running = try await configured.start()
            let console = running.console.map { [("console", $0)] } ?? []
            return RunningRole(servers: [("s3", running.server)] + console)
        } catch let error as ObjectError {
            throw CommandFailure(
                "cannot open the store in \(folder): \(error.message)",
                hint: StoreFolderHint.text(error, folder: folder, another: "with a word or --volumes"))
        }
    }
}
