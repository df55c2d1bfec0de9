/// Settings that several commands share; in the configuration file they stand at the top level.
package enum CommonSettings {
    package static let config = Setting<String?>.optional(
        "config", environment: ["SLIPWAY_CONFIG"], placeholder: "FILE", allowed: "the path of a YAML file",
        help: "Configuration file; flags and environment go before it.")

    package static let data = Setting<String>.text(
        "data", environment: ["SLIPWAY_DATA"], placeholder: "FOLDER", default: "./slipway-data",
        allowed: "the path of a folder", help: "Data folder; each role keeps its part in a folder of its name.")

    package static let address = Setting<String>.text(
        "bind", environment: ["SLIPWAY_BIND"], placeholder: "ADDRESS", default: "127.0.0.1",
        allowed: "a numeric IPv4 or IPv6 address", help: "Address to listen on; 0.0.0.0 opens it to the network.",
        where: { !$0.isEmpty && $0.utf8.allSatisfy { $0 == 0x2e || $0 == 0x3a || ($0 | 0x20).isHexadecimalDigit } })

    package static let logLevel = Setting<String>.choice(
        "log-level", environment: ["SLIPWAY_LOG_LEVEL"], placeholder: "LEVEL", default: "info",
        of: ["debug", "info", "warning", "error"], help: "Events below this level are not logged.")

    package static let rootUser = Setting<String?>.optional(
        "root-user", environment: ["MINIO_ROOT_USER"], placeholder: "NAME", allowed: "3 to 128 characters",
        help: "Name (access key) of the root credential; made at first start when unset.",
        where: { (3...128).contains($0.utf8.count) })

    package static let rootPassword = Setting<String?>.optional(
        "root-password", environment: ["MINIO_ROOT_PASSWORD"], placeholder: "SECRET", allowed: "8 to 128 characters",
        help: "Secret of the root credential; prefer the environment, flags show in process lists.", isSecret: true,
        where: { (8...128).contains($0.utf8.count) })

    package static let rootUserFile = Setting<String?>.optional(
        "root-user-file", environment: ["MINIO_ROOT_USER_FILE"], placeholder: "FILE", allowed: "the path of a file",
        help: "File that holds the root user's name, as Docker and Kubernetes mount secrets.")

    package static let rootPasswordFile = Setting<String?>.optional(
        "root-password-file", environment: ["MINIO_ROOT_PASSWORD_FILE"], placeholder: "FILE",
        allowed: "the path of a file", help: "File that holds the root user's secret.")

    package static let runtime = Setting<String?>.optional(
        "runtime", environment: ["SLIPWAY_RUNTIME"], placeholder: "FOLDER", allowed: "the path of a folder",
        help: "Folder of the native runtimes; ./runtime, or runtime beside a folder above the binary, when unset.")

    /// What every role takes beside its own settings.
    package static let ofRole: [SettingDeclaration] = [
        config.declaration, data.declaration, address.declaration, logLevel.declaration, rootUser.declaration,
        rootPassword.declaration, rootUserFile.declaration, rootPasswordFile.declaration,
    ]
}

extension UInt8 {
    fileprivate var isHexadecimalDigit: Bool { (0x30...0x39).contains(self) || (0x61...0x66).contains(self) }
}
