// The Services of an InferenceService, named as KServe names them: port 80, and gRPC, lead to the pod whose turn it is.

import Cluster
import Formats

extension PredictorWorker {
    /// gRPC behind the Services, the port that KServe gives Triton.
    private static let grpcPort = 9000

    /// Gives `pod` the turn: its label, and Services that choose by it. False as long as they do not lead to it yet; a
    /// Service that cannot be had is told in an event and waited for no longer.
    func expose(_ service: Resource, _ pod: Resource) async throws -> Bool {
        if pod.labels[ServingNames.activeLabel] == nil {
            try await context.store.update(pod.key) { current in
                var object = current.json
                object[path: "metadata", "labels", ServingNames.activeLabel] = "true"
                return object
            }
        }
        var isWhole = true
        for name in [service.name, "\(service.name)-predictor-default"] {
            guard try await makeService(name, of: service) else { continue }
            // A selector that a person changed leads where that person wants.
            let found = context.store.find(ResourceKey(.service, namespace: service.namespace, name: name))
            guard found?.spec["selector"] == Self.selector(of: service) else { continue }
            let endpoints = context.store.find(ResourceKey(.endpoints, namespace: service.namespace, name: name))
            let addresses = (endpoints?.json["subsets"]?.arrayValue ?? []).flatMap { $0["addresses"]?.arrayValue ?? [] }
            if !addresses.contains(where: { $0["ip"] == pod.status["podIP"] }) { isWhole = false }
        }
        return isWhole
    }

    /// True when the Service is there and this InferenceService's.
    private func makeService(_ name: String, of service: Resource) async throws -> Bool {
        if let found = context.store.find(ResourceKey(.service, namespace: service.namespace, name: name)) {
            guard found.ownerUIDs.contains(uid) else {
                await report(
                    name, "Service \(name) is there already and not of this InferenceService: it is left as it is",
                    service)
                return false
            }
            serviceFaults[name] = nil
            return true
        }
        do {
            try await context.store.create(
                .service, namespace: service.namespace, Self.object(name, of: service))
            return true
        } catch let error as ClusterError {
            await report(name, "Service \(name) cannot be made: \(error.message)", service)
            return false
        }
    }

    private static func selector(of service: Resource) -> JSON {
        ["app": .string(ServingNames.app(service.name)), ServingNames.activeLabel: "true"]
    }

    static func object(_ name: String, of service: Resource) -> JSON {
        [
            "metadata": [
                "name": .string(name),
                "labels": [ServingNames.serviceLabel: .string(service.name), "component": "predictor"],
                "ownerReferences": [service.ownerReference],
            ],
            "spec": [
                "type": "ClusterIP",
                "selector": selector(of: service),
                "ports": [
                    ["name": "http", "port": 80, "protocol": "TCP", "targetPort": "http"],
                    ["name": "grpc", "port": JSON(grpcPort), "protocol": "TCP", "targetPort": "grpc"],
                ],
            ],
        ]
    }

    private func report(_ name: String, _ message: String, _ service: Resource) async {
        guard serviceFaults[name] != message else { return }
        serviceFaults[name] = message
        await context.record(service, .warning, "ServiceNotMade", message)
    }
}
