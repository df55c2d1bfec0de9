// Where a model's objects are and who asks for them: KServe's rules for a ServiceAccount's Secrets.

import Bytes
import Cluster
import Formats
import ObjectClient
import Signatures

/// Why an object store cannot even be asked.
struct StorageFault: Error, Equatable {
    let message: String
}

enum StorageCredentials {
    private static let prefixes = ["serving.kserve.io/", "serving.kubeflow.org/"]

    /// The endpoint for `account` in `namespace`: the first of its Secrets that holds an S3 key, else `standard` without a
    /// key. Throws `StorageFault` naming the account or Secret that is missing or not understood.
    static func endpoint(
        account: String, namespace: String, store: ResourceStore, standard: String
    ) throws(StorageFault) -> ObjectEndpoint {
        guard let found = store.find(ResourceKey(.serviceAccount, namespace: namespace, name: account)) else {
            guard account == "default" else {
                throw StorageFault(message: "serviceaccount \"\(account)\" not found in namespace \"\(namespace)\"")
            }
            return ObjectEndpoint(url: standard, credential: nil)
        }
        for entry in found.json["secrets"]?.arrayValue ?? [] {
            let name = entry["name"]?.stringValue ?? ""
            guard let secret = store.find(ResourceKey(.secret, namespace: namespace, name: name)) else {
                throw StorageFault(
                    message:
                        "secret \"\(name)\" of serviceaccount \"\(account)\" not found in namespace \"\(namespace)\"")
            }
            if let endpoint = try endpoint(secret, standard: standard) { return endpoint }
        }
        return ObjectEndpoint(url: standard, credential: nil)
    }

    /// The endpoint that a Secret describes; nil when it holds no S3 key.
    static func endpoint(_ secret: Resource, standard: String) throws(StorageFault) -> ObjectEndpoint? {
        let access = value(secret, "AWS_ACCESS_KEY_ID") ?? value(secret, "awsAccessKeyID")
        let key = value(secret, "AWS_SECRET_ACCESS_KEY") ?? value(secret, "awsSecretAccessKey")
        guard let access, let key else {
            if (access ?? key) != nil {
                throw StorageFault(
                    message: "secret \"\(secret.name)\" needs both AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY")
            }
            return nil
        }
        func annotation(_ name: String) -> String? {
            prefixes.lazy.compactMap { secret.annotations[$0 + name] }.first { !$0.isEmpty }
        }
        let usesHTTPS = annotation("s3-usehttps") != "0"
        var url = standard
        if let host = annotation("s3-endpoint") {
            guard !host.holds("/"), !host.holds(" ") else {
                throw StorageFault(
                    message: "secret \"\(secret.name)\": s3-endpoint is \"\(host)\"; write HOST:PORT and no scheme")
            }
            url = "\(usesHTTPS ? "https" : "http")://\(host)"
        }
        if annotation("s3-verifyssl") == "0", url.hasPrefix("https://") {
            throw StorageFault(
                message: """
                    secret "\(secret.name)": s3-verifyssl "0" is not supported; give the store a certificate that this \
                    machine trusts, or set s3-usehttps to "0"
                    """)
        }
        return ObjectEndpoint(
            url: url, region: annotation("s3-region") ?? "us-east-1",
            credential: SigningCredential(accessKey: access, secretKey: key))
    }

    private static func value(_ secret: Resource, _ key: String) -> String? {
        guard let text = secret.json["data"]?[key]?.stringValue, let bytes = Base64.decode(Array(text.utf8)) else {
            return nil
        }
        // A line end that `echo | base64` leaves behind is no part of anybody's key.
        let plain = String(utf8: bytes).lines.first { !$0.isEmpty }
        return plain.map(String.init)
    }
}
