// The V2 repository API of one predictor.

import Formats
import HTTP
import HTTPClient

/// Talks to the inference server of one pod.
struct PredictorClient: Sendable {
    /// What a load or unload came to.
    enum Outcome: Equatable, Sendable {
        case done
        /// The server's reason.
        case refused(String)
        /// No answer; the pod may be starting or gone.
        case unreachable
    }

    /// `http://ADDRESS:PORT`.
    let origin: String
    /// A model may be large; OpenVINO and ONNX Runtime optimise it while the caller waits.
    private static let loadMilliseconds: UInt64 = 600_000

    func isReady() async -> Bool {
        let answer = try? await send(.get, "/v2/health/ready", timeoutMilliseconds: 2000)
        return answer?.status == 200
    }

    /// The names of the models that are loaded; nil when the server does not answer.
    func loadedNames() async -> Set<String>? {
        guard
            let answer = try? await send(
                .post, "/v2/repository/index", body: #"{"ready":true}"#, timeoutMilliseconds: 5000),
            answer.status == 200, let list = (try? JSON.parse(answer.body))?.arrayValue
        else { return nil }
        return Set(list.compactMap { $0["name"]?.stringValue })
    }

    func load(_ name: String) async -> Outcome { await change(name, "load") }

    func unload(_ name: String) async -> Outcome { await change(name, "unload") }

    private func change(_ name: String, _ what: String) async -> Outcome {
        guard
            let answer = try? await send(
                .post, "/v2/repository/models/\(name)/\(what)", body: "{}", timeoutMilliseconds: Self.loadMilliseconds)
        else { return .unreachable }
        if answer.status == 200 { return .done }
        let reason = (try? JSON.parse(answer.body))?["error"]?.stringValue
        return .refused(reason ?? "the inference server answered \(answer.status)")
    }

    private func send(
        _ method: HTTPMethod, _ path: String, body: String? = nil, timeoutMilliseconds: UInt64
    ) async throws -> (status: Int, body: [UInt8]) {
        let request = ClientRequest(
            method, origin + path, body: body.map { .bytes(Array($0.utf8)) } ?? .empty,
            timeoutMilliseconds: timeoutMilliseconds)
        let answer = try await HTTPClient.shared.collect(request, bytesMax: 4 << 20)
        return (Int(answer.status.code), answer.body)
    }
}
