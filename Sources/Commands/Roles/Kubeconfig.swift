import Bytes
import Formats

/// What a client needs to reach the cluster: address, authority, token.
struct Kubeconfig {
    var server: String
    /// PEM; nil for a server without TLS.
    var authority: [UInt8]?
    /// Nil for a server that asks for none.
    var token: String?

    /// The file's text. It is JSON, which every reader of YAML takes.
    var text: [UInt8] {
        var cluster: JSON = ["server": .string(server)]
        if let authority { cluster["certificate-authority-data"] = .string(Base64.encode(authority)) }
        let user: JSON = token.map { ["token": .string($0)] } ?? [:]
        let object: JSON = [
            "apiVersion": "v1", "kind": "Config", "preferences": [:], "current-context": "slipway",
            "clusters": [["name": "slipway", "cluster": cluster]], "users": [["name": "slipway-admin", "user": user]],
            "contexts": [["name": "slipway", "context": ["cluster": "slipway", "user": "slipway-admin"]]],
        ]
        return object.indented + [UInt8(ascii: "\n")]
    }
}
