import Bytes
import Formats
import HTTP
import HTTPClient

/// A server that a lineage asks. One that does not answer is asked once.
final class LineagePeer {
    private static let answerBytesMax = 32 << 20
    private static let timeoutMilliseconds: UInt64 = 10_000

    /// Such as `tracking server`.
    let name: String
    /// Without a slash at its end.
    let url: String
    /// What to do when it does not answer.
    let remedy: String
    private let client: HTTPClient
    private let token: String?
    private var failure: String?

    init(name: String, url: String, remedy: String, client: HTTPClient, token: String? = nil) {
        self.name = name
        self.url = url.hasSuffix("/") ? String(url.dropLast()) : url
        self.remedy = remedy
        self.client = client
        self.token = token
    }

    /// `path` is percent-encoded; the query is encoded here.
    func ask(
        _ path: String, query: [(String, String)] = [], method: HTTPMethod = .get
    ) async -> Part<JSON> {
        if let failure { return .unknown(failure) }
        let parameters = query.map { "\(PercentCoding.encode($0.0))=\(PercentCoding.encode($0.1))" }
        let target = url + path + (parameters.isEmpty ? "" : "?" + parameters.joined(separator: "&"))
        var request = ClientRequest(method, target, timeoutMilliseconds: Self.timeoutMilliseconds)
        if let token { request.fields.append("Authorization", "Bearer \(token)") }
        do {
            let answer = try await client.collect(request, bytesMax: Self.answerBytesMax)
            return read(status: answer.status.code, answer.body)
        } catch {
            let reason = (error as? HTTPClientError)?.message ?? "its answer broke off or is over 32 MiB"
            let text = "the \(name) at \(url) does not answer (\(reason)): \(remedy)"
            failure = text
            return .unknown(text)
        }
    }

    /// What an answer says: MLflow, V2 and Kubernetes each put the reason into a member of an object.
    private func read(status: Int, _ body: [UInt8]) -> Part<JSON> {
        let json = try? JSON.parse(body)
        let reason = json?["message"]?.stringValue ?? json?["error"]?.stringValue ?? "no reason given"
        switch status {
        case 200..<300:
            return json.map { .found($0) } ?? .unknown("the \(name) at \(url) answers what is no JSON: \(remedy)")
        case 404:
            return .absent("the \(name) at \(url) has none: \(reason)")
        default:
            return .unknown("the \(name) at \(url) refuses with \(status): \(reason)")
        }
    }
}
