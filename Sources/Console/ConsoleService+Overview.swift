// How the servers behind the console do, asked all at once through the health paths that their protocols have.

import Clock
import Formats
import HTTP
import HTTPClient

extension ConsoleService {
    private struct Probe: Sendable {
        let role: String
        let speaks: String
        let url: String?
        let path: String
    }

    /// Each server with whether it is ready, and how long the answer took.
    func overview(cluster: ClusterProxy?) async -> Response {
        let probes = probes()
        let states = await withTaskGroup(of: (Int, JSON).self) { group in
            for (index, probe) in probes.enumerated() {
                group.addTask { (index, await self.state(of: probe)) }
            }
            if let cluster { group.addTask { (probes.count, await self.state(of: cluster)) } }
            var states: [(Int, JSON)] = []
            for await state in group { states.append(state) }
            return states.sorted { $0.0 < $1.0 }.map(\.1)
        }
        let answer: JSON = ["roles": .array(states)]
        return Response(contentType: "application/json", answer.encoded)
    }

    private func probes() -> [Probe] {
        let store = Probe(role: "store", speaks: "S3", url: configuration.storeURL, path: "/minio/health/ready")
        guard configuration.scope == .everything else { return [store] }
        return [
            store,
            Probe(role: "track", speaks: "MLflow REST", url: configuration.trackURL, path: "/health"),
            Probe(role: "infer", speaks: "V2 inference", url: configuration.inferURL, path: "/v2/health/live"),
            Probe(role: "registry", speaks: "OCI distribution", url: configuration.registryURL, path: "/v2/"),
        ].filter { $0.url != nil }
    }

    private func state(of probe: Probe) async -> JSON {
        let began = MonotonicTime.now
        let url = probe.url ?? ""
        var failure: String?
        do {
            let client = probe.role == "store" ? objects.upstream.client : HTTPClient.shared
            let answer = try await client.execute(
                ClientRequest(
                    .get, url + probe.path, timeoutMilliseconds: configuration.limits.probeMilliseconds))
            // A registry that asks for a log-in is up.
            let isUp = answer.status.code < 300 || answer.status == .unauthorized
            if !isUp { failure = "answers \(answer.status.code)" }
        } catch {
            failure = "does not answer"
        }
        return entry(probe.role, probe.speaks, url, failure, began)
    }

    private func state(of cluster: ClusterProxy) async -> JSON {
        let began = MonotonicTime.now
        let (url, failure) = await cluster.probe(timeoutMilliseconds: configuration.limits.probeMilliseconds)
        return entry("cluster", "Kubernetes API", url ?? "", failure, began)
    }

    private func entry(_ role: String, _ speaks: String, _ url: String, _ failure: String?, _ began: MonotonicTime)
        -> JSON
    {
        var entry: JSON = [
            "role": .string(role), "speaks": .string(speaks), "url": .string(url), "ready": .bool(failure == nil),
            "milliseconds": .double((began.elapsedSeconds * 10_000).rounded() / 10),
        ]
        if let failure { entry["failure"] = .string(failure) }
        return entry
    }
}
