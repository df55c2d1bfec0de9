// The console's way to the cluster: reading only, of a few kinds, with the token of the kubeconfig. Secrets are not among
// them, and neither is anything that stays open (watches, followed logs) or runs a program (exec).

import Bytes
import Clock
import HTTP
import HTTPClient
import Synchronization

final class ClusterProxy: Sendable {
    private struct Connection: Sendable {
        let cluster: ClusterAccess
        let upstream: Upstream
        let readAt: MonotonicTime
    }

    private let kubeconfigPath: String
    private let connection = Mutex<Connection?>(nil)

    init(kubeconfigPath: String) { self.kubeconfigPath = kubeconfigPath }

    /// Kinds that pages read.
    private static let kinds: Set<String> = [
        "namespaces", "pods", "services", "persistentvolumeclaims", "events", "deployments", "jobs", "workflows",
        "inferenceservices", "trainedmodels",
    ]

    private static let parameters: Set<String> = [
        "limit", "continue", "labelSelector", "fieldSelector", "tailLines", "container", "timestamps", "sinceSeconds",
    ]

    /// True for reading one of `kinds`: a list, one object, or the log of a pod.
    static func offers(_ segments: [String]) -> Bool {
        var rest: ArraySlice<String>
        switch segments.dropFirst().first {
        case "api" where segments.count > 3: rest = segments[3...]
        case "apis" where segments.count > 4: rest = segments[4...]
        default: return false
        }
        if rest.first == "namespaces", rest.count > 2 { rest = rest.dropFirst(2) }
        guard let kind = rest.first, kinds.contains(kind) else { return false }
        switch rest.count {
        case 1, 2: return true
        case 3: return kind == "pods" && rest.last == "log"
        default: return false
        }
    }

    /// - Parameter path: `/api/v1/...` or `/apis/GROUP/VERSION/...`, percent-encoded.
    func forward(_ request: Request, path: Substring) async throws -> Response {
        guard request.method == .get, Self.offers(try ProxyPath.decodeSegments(path)),
            request.queryItems.allSatisfy({ Self.parameters.contains($0.name) })
        else { throw ConsoleError(.notOffered, "The console does not offer this call of the cluster.") }
        let query = request.query.isEmpty ? "" : "?\(request.query)"
        return try await send(String(path) + query)
    }

    /// True when the cluster says that it is ready; the reason otherwise.
    func probe(timeoutMilliseconds: UInt64) async -> (url: String?, failure: String?) {
        do {
            let connection = try await connect()
            var request = request("/readyz", connection)
            request.timeoutMilliseconds = timeoutMilliseconds
            let answer = try await connection.upstream.execute(request)
            return (connection.cluster.server, answer.status == .ok ? nil : "answers \(answer.status.code)")
        } catch let error as ConsoleError {
            return (nil, error.message)
        } catch {
            return (nil, "is not asked now")
        }
    }

    private func send(_ target: String) async throws -> Response {
        let connection = try await connect()
        let response = try await connection.upstream.forward(request(target, connection))
        // A cluster that was made anew has another token: read the file again for the next call.
        if response.status == .unauthorized { self.connection.withLock { $0 = nil } }
        return response
    }

    private func request(_ target: String, _ connection: Connection) -> ClientRequest {
        var fields = HTTPFields()
        fields.append("Accept", "application/json")
        if let token = connection.cluster.token { fields.append("Authorization", "Bearer \(token)") }
        return ClientRequest(.get, connection.cluster.server + target, fields: fields, timeoutMilliseconds: 20_000)
    }

    /// The way to the cluster, read again when it is older than half a minute and the file has changed.
    private func connect() async throws -> Connection {
        let known = connection.withLock { $0 }
        if let known, known.readAt.elapsedSeconds < 30 { return known }
        let cluster = try await ClusterAccess.read(kubeconfigPath)
        if let known, known.cluster == cluster {
            let kept = Connection(cluster: cluster, upstream: known.upstream, readAt: .now)
            connection.withLock { $0 = kept }
            return kept
        }
        var settings = HTTPClient.Configuration()
        settings.authorityPath = cluster.authorityPath
        let made = Connection(
            cluster: cluster,
            upstream: Upstream(
                name: "the cluster", command: "slipway cluster", client: HTTPClient(configuration: settings)),
            readAt: .now)
        connection.withLock { $0 = made }
        return made
    }
}
