import Cluster
import Formats
import HTTP

extension KubernetesAPI {
    /// `GET .../pods/NAME/log`: what a container wrote, streamed.
    func podLog(_ request: Request, _ key: ResourceKey, _ options: RequestOptions) async throws -> Response {
        let pod = try store.get(key)
        var log = PodLogOptions()
        log.isFollowing = try options.flag("follow")
        log.tailLines = try options.integer("tailLines")
        log.limitBytes = try options.integer("limitBytes")
        log.hasTimestamps = try options.flag("timestamps")
        log.isPrevious = try options.flag("previous")
        log.sinceSeconds = try options.integer("sinceSeconds").map { Int64($0) }
        log.sinceTime = options.value("sinceTime")
        if log.sinceSeconds != nil, log.sinceTime != nil {
            throw StatusError.badRequest("at most one of `sinceTime` or `sinceSeconds` may be specified")
        }
        let container = try Self.container(of: pod, named: options.value("container"))
        guard let logs else {
            throw StatusError.badRequest(
                "container \"\(container)\" in pod \"\(pod.name)\" is waiting to start: no pods run here")
        }
        let isFollowing = log.isFollowing
        let reader = try await logs.openLog(pod, container: container, log)
        return Response(
            fields: ["Content-Type": "text/plain"],
            body: .stream(length: nil) { writer in
                while let bytes = try await reader.next() {
                    guard !bytes.isEmpty else { continue }
                    try await writer.write(bytes)
                    if isFollowing { try await writer.flush() }
                }
            })
    }

    /// The container that a client names, or the only one.
    static func container(of pod: Resource, named name: String?) throws(StatusError) -> String {
        let containers = (pod.spec["containers"]?.arrayValue ?? []).compactMap { $0["name"]?.stringValue }
        let initContainers = (pod.spec["initContainers"]?.arrayValue ?? []).compactMap { $0["name"]?.stringValue }
        if let name, !name.isEmpty {
            guard containers.contains(name) || initContainers.contains(name) else {
                throw .badRequest("container \(name) is not valid for pod \(pod.name)")
            }
            return name
        }
        if let preferred = pod.annotations["kubectl.kubernetes.io/default-container"], containers.contains(preferred) {
            return preferred
        }
        guard containers.count == 1 else {
            let choices =
                "choose one of: [\(containers.joined(separator: " "))]"
                + (initContainers.isEmpty
                    ? "" : " or one of the init containers: [\(initContainers.joined(separator: " "))]")
            throw .badRequest("a container name must be specified for pod \(pod.name), \(choices)")
        }
        return containers[0]
    }
}
