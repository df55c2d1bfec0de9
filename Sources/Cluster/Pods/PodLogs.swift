// Logs of pods, as `kubectl logs` asks for them.

import Formats
package import Runner
import Synchronization

/// What to read of which container's log.
package struct PodLogRequest: Sendable {
    /// Nil is the pod's default container.
    package var container: String?
    package var follow = false
    /// The attempt before the present one.
    package var previous = false
    package var log = StepLogOptions()

    package init() {}
}

/// Reads the logs of pods of one store.
package struct PodLogs: Sendable {
    let store: ResourceStore
    let folders: ClusterFolders
    let files: FilePool

    /// Opens a log. Throws `.notFound` (the pod, or an attempt before the first), `.badRequest` (no such container, or it
    /// has not started).
    package func open(namespace: String, pod name: String, _ request: PodLogRequest) throws(ClusterError) -> PodLogStream {
        let key = ResourceKey(.pod, namespace: namespace, name: name)
        let pod = try store.get(key)
        let names = ((pod.spec["initContainers"]?.arrayValue ?? []) + (pod.spec["containers"]?.arrayValue ?? []))
            .compactMap { $0["name"]?.stringValue }
        let container: String
        if let wanted = request.container, !wanted.isEmpty {
            container = wanted
        } else if let standard = pod.annotations[PodAnnotations.defaultContainer], names.contains(standard) {
            container = standard
        } else {
            let own = (pod.spec["containers"]?.arrayValue ?? []).compactMap { $0["name"]?.stringValue }
            guard own.count == 1 else {
                throw ClusterError(
                    .badRequest, "a container name must be specified for pod \(name), choose one of: [\(names.joined(separator: " "))]")
            }
            container = own[0]
        }
        guard names.contains(container) else {
            throw ClusterError(.badRequest, "container \(container) is not valid for pod \(name)")
        }
        let status = Self.status(pod, container)
        if let waiting = status?["state"]?["waiting"], status?["lastState"]?["terminated"] == nil || !request.previous,
            status?["restartCount"]?.intValue ?? 0 == 0, !request.follow || waiting["reason"]?.stringValue == "ImagePullBackOff"
        {
            let reason = waiting["reason"]?.stringValue ?? "ContainerCreating"
            // The status may lag behind a process that has begun.
            guard FileTools.exists(folders.container(pod, container, attempt: 0) + "/log") else {
                throw ClusterError(
                    .badRequest, "container \"\(container)\" in pod \"\(name)\" is waiting to start: "
                        + (waiting["message"]?.stringValue ?? reason))
            }
        }
        var attempt = Int(clamping: status?["restartCount"]?.intValue ?? 0)
        if request.previous {
            attempt -= 1
            guard attempt >= 0 else {
                throw ClusterError(
                    .badRequest, "previous terminated container \"\(container)\" in pod \"\(name)\" not found")
            }
        }
        return PodLogStream(
            reader: StepLogReader(folder: folders.container(pod, container, attempt: attempt), options: request.log),
            follow: request.follow && !request.previous, files: files
        ) { [store] in
            guard let now = store.find(key), now.uid == pod.uid else { return true }
            let phase = now.status["phase"]?.stringValue ?? ""
            return phase == "Succeeded" || phase == "Failed" || Self.status(now, container)?["state"]?["terminated"] != nil
        }
    }

    private static func status(_ pod: Resource, _ container: String) -> JSON? {
        let all = (pod.status["initContainerStatuses"]?.arrayValue ?? []) + (pod.status["containerStatuses"]?.arrayValue ?? [])
        return all.first { $0["name"]?.stringValue == container }
    }
}

/// A log being read, a piece at a time, by one task.
package final class PodLogStream: Sendable {
    private struct Position: ~Copyable {
        var reader: StepLogReader
        var isStarted = false
    }

    private let position: Mutex<Position>
    private let follow: Bool
    private let files: FilePool
    private let isOver: @Sendable () -> Bool

    init(
        reader: consuming sending StepLogReader, follow: Bool, files: FilePool, isOver: @escaping @Sendable () -> Bool
    ) {
        position = Mutex(Position(reader: reader))
        self.follow = follow
        self.files = files
        self.isOver = isOver
    }

    /// The next piece, nil at the end. When following, an empty piece comes about once a second while nothing is
    /// written, so that the caller can see whether anyone still listens.
    package func next() async throws -> [UInt8]? {
        let (isFirst, first) = try await files.run {
            self.position.withLock { position -> (Bool, [UInt8]) in
                if position.isStarted { return (false, []) }
                position.isStarted = true
                return (true, position.reader.existing())
            }
        }
        if isFirst { return first }
        guard follow else { return nil }
        for _ in 0..<20 {
            // Asked before reading: what the process wrote before its end is read after.
            let wasOver = isOver()
            let piece = try await files.run { self.position.withLock { $0.reader.more() } }
            if !piece.isEmpty { return piece }
            if wasOver { return nil }
            try await Task.sleep(nanoseconds: 50_000_000)
        }
        return []
    }
}
