import ObjectClient
import Signatures

/// Settings of the object store that a role reads `s3://` places from, as its SDKs spell them.
enum ObjectStoreSettings {
    static let endpoint = Setting<String?>.optional(
        "s3-endpoint", environment: ["AWS_ENDPOINT_URL_S3", "AWS_ENDPOINT_URL", "MLFLOW_S3_ENDPOINT_URL"],
        placeholder: "URL", allowed: "http://host:port or https://host:port",
        help: "Object store of s3:// repositories; the local store when unset.",
        where: { $0.hasPrefix("http://") || $0.hasPrefix("https://") })

    static let accessKey = Setting<String?>.optional(
        "s3-access-key", environment: ["AWS_ACCESS_KEY_ID"], placeholder: "NAME",
        help: "Access key for the object store; the root user when unset.")

    static let secretKey = Setting<String?>.optional(
        "s3-secret-key", environment: ["AWS_SECRET_ACCESS_KEY"], placeholder: "SECRET",
        help: "Secret for the object store; prefer the environment.", isSecret: true)

    static let region = Setting<String>.text(
        "s3-region", environment: ["AWS_DEFAULT_REGION", "AWS_REGION"], placeholder: "NAME", default: "us-east-1",
        help: "Region that requests to the object store are signed for.")

    static let all = [endpoint.declaration, accessKey.declaration, secretKey.declaration, region.declaration]

    /// The object store: what the environment names, else the local store with the root credential.
    static func store(of settings: Settings) -> ObjectEndpoint {
        ObjectEndpoint(
            url: settings[endpoint] ?? "http://127.0.0.1:9000", region: settings[region],
            credential: credential(settings[accessKey], settings[secretKey], settings))
    }

    /// What requests are signed with: the keys given, in the place of a missing one the root's; nil for anonymous ones.
    static func credential(_ accessKey: String?, _ secretKey: String?, _ settings: Settings) -> SigningCredential? {
        guard let user = accessKey ?? settings[CommonSettings.rootUser],
            let secret = secretKey ?? settings[CommonSettings.rootPassword]
        else { return nil }
        return SigningCredential(accessKey: user, secretKey: secret)
    }
}
