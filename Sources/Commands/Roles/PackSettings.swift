/// Settings of `slipway pack`. The variables are those of the document's container, where it has them.
enum PackSettings {
    static let name = Setting<String?>.optional(
        "model-name", environment: ["MODEL_NAME"], placeholder: "NAME",
        allowed: "letters, digits, dots, dashes and underscores",
        help: "The pack: NAME/src/NAME.zip and NAME/model/YYYYMMDD.zip are its files.")

    static let type = Setting<String?>.optional(
        "model-type", environment: ["MODEL_TYPE"], placeholder: "TYPE", allowed: "tf or sklearn",
        help: "tf for a class k8s_api_model that loads a session, sklearn for a .pkl.",
        where: { ["tf", "sklearn"].contains($0) })

    static let folder = Setting<String>.text(
        "folder", environment: ["SLIPWAY_PACK_FOLDER"], placeholder: "FOLDER", default: ".",
        allowed: "the path of a folder",
        help: "Local folder that holds NAME/src, NAME/model and logs: the hostPath of the document.")

    static let storage = Setting<String?>.optional(
        "storage", environment: ["SLIPWAY_PACK_STORAGE"], placeholder: "PLACE",
        allowed: "s3://bucket/prefix, a folder, or sftp://user@host:port/folder",
        help: "Where /src_download and /model_download fetch from; nothing when unset.")

    static let sftpHost = Setting<String?>.optional(
        "sftp-host", environment: ["MY_HOST_NAME"], placeholder: "HOST", allowed: "a host name",
        help: "Short for --storage sftp://HOST/~ when no storage is named.")
    static let sftpUser = Setting<String?>.optional(
        "sftp-user", environment: ["MY_USER_NAME"], placeholder: "NAME",
        help: "User of an sftp:// storage that names none.")
    static let sftpPassword = Setting<String?>.optional(
        "sftp-password", environment: ["MY_PASSWORD"], placeholder: "SECRET",
        help: "Password for SFTP; prefer the environment.", isSecret: true)
    static let sftpKey = Setting<String?>.optional(
        "sftp-key", environment: ["SLIPWAY_SFTP_KEY"], placeholder: "FILE", allowed: "the path of a private key",
        help: "Private key for SFTP.")
    static let sftpPassphrase = Setting<String?>.optional(
        "sftp-key-passphrase", environment: ["SLIPWAY_SFTP_KEY_PASSPHRASE"], placeholder: "SECRET",
        help: "What the private key is encrypted with; prefer the environment.", isSecret: true)
    static let knownHosts = Setting<String?>.optional(
        "sftp-known-hosts", environment: ["SLIPWAY_SFTP_KNOWN_HOSTS"], placeholder: "FILE",
        allowed: "the path of a known_hosts file",
        help: "Host keys that are trusted; ~/.ssh/known_hosts when unset.")
    static let hostKey = Setting<String?>.optional(
        "sftp-host-key", environment: ["SLIPWAY_SFTP_HOST_KEY"], placeholder: "SHA256:HASH",
        allowed: "SHA256: and the 43 characters that ssh-keygen -l prints",
        help: "Fingerprint of the one host key that is trusted, instead of a known_hosts file.",
        where: { $0.hasPrefix("SHA256:") && (43...44).contains($0.utf8.count - 7) })

    static let port = Setting<Int>.port(
        "port", environment: ["SLIPWAY_PACK_PORT"], default: 8000, help: "Port of the service.")

    static let python = Setting<String?>.optional(
        "python", environment: ["SLIPWAY_PYTHON"], placeholder: "FILE",
        allowed: "the path of an interpreter or of a virtual environment",
        help: "Python that runs the model; python/examples or python/demo of the runtime folder when unset.")
    static let installs = Setting<Bool>.toggle(
        "install-requirements",
        help: "Have pip install a pack's requirements.txt beside it before each load; else they are only checked.")
    static let workers = Setting<Int>.integer(
        "workers", default: 1, range: 1...64,
        help: "Processes that hold the model and answer, each one request at a time.")
    static let queue = Setting<Int>.integer(
        "queue-size", default: 256, range: 1...65_536, help: "Requests that may wait for a worker; 503 over it.")
    static let requestTime = Setting<Int>.milliseconds(
        "request-timeout", default: 60_000, range: 100...3_600_000,
        help: "From a request to its result; a worker that takes longer is ended and replaced.")
    static let loadTime = Setting<Int>.milliseconds(
        "load-timeout", default: 300_000, range: 1000...3_600_000, help: "From a worker's start to its loaded model.")
    static let bodyBytes = Setting<Int>.bytes(
        "max-body", default: 64 << 20, range: 1024...(1 << 30), help: "Largest request body.")
    static let unpackedBytes = Setting<Int>.bytes(
        "max-unpacked", default: 8 << 30, range: 1024...(1 << 40), help: "Most that one zip may unpack to.")

    static let all =
        [
            name.declaration, type.declaration, folder.declaration, storage.declaration, sftpHost.declaration,
            sftpUser.declaration, sftpPassword.declaration, sftpKey.declaration, sftpPassphrase.declaration,
            knownHosts.declaration, hostKey.declaration, port.declaration, python.declaration, installs.declaration,
            workers.declaration, queue.declaration, requestTime.declaration, loadTime.declaration,
            bodyBytes.declaration,
            unpackedBytes.declaration, CommonSettings.runtime.declaration,
        ] + ObjectStoreSettings.all
}
