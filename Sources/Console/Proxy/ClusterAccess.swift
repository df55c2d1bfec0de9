// What a kubeconfig says of its current context: address, authority, token. The HTTP client wants the authority as a
// file, so an embedded one is written beside the kubeconfig's own temporary place for the owner's eyes only.

import Bytes
import EventLoop
import Files
import Formats
import Glibc

/// Where a cluster is and what it asks for.
package struct ClusterAccess: Sendable, Equatable {
    /// `https://127.0.0.1:6443`, without a slash at its end.
    package let server: String
    package let token: String?
    /// PEM; nil trusts the system's authorities, or none is needed.
    package let authority: [UInt8]?
    /// A file that holds `authority`.
    package private(set) var authorityPath: String?

    /// Reads a kubeconfig of YAML or JSON: a server, an embedded authority, a token.
    package init(_ text: [UInt8]) throws(ConsoleError) {
        guard let document = try? YAML.parse(text).first else {
            throw ConsoleError(.unreachable, "The kubeconfig is not understood. `slipway cluster` writes a new one.")
        }
        let name = document["current-context"]?.stringValue
        let context = Self.entry(document["contexts"], name)?["context"]
        let cluster = Self.entry(document["clusters"], context?["cluster"]?.stringValue)?["cluster"]
        let user = Self.entry(document["users"], context?["user"]?.stringValue)?["user"]
        guard let server = cluster?["server"]?.stringValue,
            let scheme = ["http://", "https://"].first(where: { server.hasPrefix($0) }),
            server.utf8.count > scheme.utf8.count, !server.dropFirst(scheme.count).hasPrefix("/")
        else { throw ConsoleError(.unreachable, "The kubeconfig names no server.") }
        self.server = server.hasSuffix("/") ? String(server.dropLast()) : server
        token = user?["token"]?.stringValue
        authority = (cluster?["certificate-authority-data"]?.stringValue).flatMap { Base64.decode($0.utf8) }
        authorityPath = cluster?["certificate-authority"]?.stringValue
    }

    private static func entry(_ list: JSON?, _ name: String?) -> JSON? {
        let entries = list?.arrayValue ?? []
        return entries.first { $0["name"]?.stringValue == name } ?? entries.first
    }

    private static let pool = BlockingPool(name: "kubeconfig", threadCount: 1, backlogCountMax: 64)

    /// Reads the file at `path` off the loop. Throws `unreachable` with the command that writes it.
    static func read(_ path: String) async throws -> ClusterAccess {
        try await pool.run { try readFile(path) }
    }

    private static func readFile(_ path: String) throws(ConsoleError) -> ClusterAccess {
        guard let text = file(path) else {
            throw ConsoleError(.unreachable, "There is no kubeconfig yet. Start the cluster with `slipway cluster`.")
        }
        var access = try ClusterAccess(text)
        guard let authority = access.authority else { return access }
        let path = path + ".authority.pem"
        access.authorityPath = path
        if file(path) != authority, (try? FileTools.write(path, authority, mode: 0o600)) == nil {
            throw ConsoleError(.unreachable, "The cluster's authority cannot be kept beside the kubeconfig.")
        }
        return access
    }

    private static func file(_ path: String) -> [UInt8]? { FileTools.read(path, bytesMax: 1 << 20) }
}
