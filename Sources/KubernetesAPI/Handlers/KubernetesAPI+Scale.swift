// `kubectl scale`: the number of replicas of a workload as an object of its own.

import Cluster
import Formats
import HTTP
import Server

extension KubernetesAPI {
    func scale(_ request: Request, _ key: ResourceKey, _ options: RequestOptions) async throws -> Response {
        let isDryRun = try options.isDryRun()
        switch request.method {
        case .get, .head: return Response(contentType: "application/json", Self.scaleObject(try store.get(key)).encoded)
        case .put:
            let body = try await ObjectDecoder.body(of: request)
            let (sent, _) = try ObjectDecoder.decode(body, mediaType: ObjectDecoder.mediaType(request))
            return try await setReplicas(key, isDryRun) { _ in sent }
        case .patch:
            let type = try PatchType.named(ObjectDecoder.mediaType(request), for: key.kind)
            let (patch, _) = try ObjectDecoder.jsonOrYAML(try await ObjectDecoder.body(of: request))
            return try await setReplicas(key, isDryRun) { current in
                do {
                    return type == .json
                        ? try JSONPatch.apply(patch, to: Self.scaleObject(current))
                        : MergePatch.apply(patch, to: Self.scaleObject(current))
                } catch let error as PatchError {
                    throw StatusError.badRequest(error.message)
                }
            }
        default: throw StatusError.methodNotAllowed(request.method)
        }
    }

    private func setReplicas(
        _ key: ResourceKey, _ isDryRun: Bool, _ transform: (Resource) throws -> JSON
    ) async throws -> Response {
        let stored = try await store.update(key, dryRun: isDryRun) { current in
            let wanted = try transform(current)
            guard let count = wanted[path: "spec", "replicas"]?.intValue ?? (wanted["spec"] == nil ? nil : 0),
                count >= 0
            else {
                throw StatusError(
                    .unprocessableContent, "Invalid",
                    "Scale \"\(key.name)\" is invalid: spec.replicas: must be a number greater than or equal to 0")
            }
            if let version = wanted[path: "metadata", "resourceVersion"]?.stringValue, !version.isEmpty,
                version != String(current.version)
            {
                throw ClusterError.conflict(key.kind, key.name, ClusterError.staleVersion)
            }
            var object = current.json
            object[path: "spec", "replicas"] = .int(count)
            return object
        }
        return Response(contentType: "application/json", Self.scaleObject(stored).encoded)
    }

    private static func scaleObject(_ resource: Resource) -> JSON {
        var metadata: JSON = ["name": .string(resource.name), "namespace": .string(resource.namespace)]
        for field in ["uid", "resourceVersion", "creationTimestamp"] { metadata[field] = resource.metadata[field] }
        let labels = resource.spec["selector"]?["matchLabels"]?.stringMap ?? [:]
        let selector = labels.sorted { $0.key < $1.key }.map { "\($0.key)=\($0.value)" }.joined(separator: ",")
        return [
            "kind": "Scale", "apiVersion": "autoscaling/v1", "metadata": metadata,
            "spec": ["replicas": resource.spec["replicas"] ?? 1],
            "status": ["replicas": resource.status["replicas"] ?? 0, "selector": .string(selector)],
        ]
    }
}
