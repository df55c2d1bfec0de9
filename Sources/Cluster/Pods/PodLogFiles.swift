// Logs of pods, as the API asks for them: read from the files that the containers' launchers write.

import Clock
import Files
import Formats
import Runner
import Synchronization

/// Opens the logs of pods that run, or ran, here.
package struct PodLogFiles: PodLogSource {
    let store: ResourceStore
    let folders: ClusterFolders
    let files: FilePool

    package func openLog(
        _ pod: Resource, container: String, _ options: PodLogOptions
    ) async throws -> any PodLogReader {
        let status = Self.status(pod, container)
        var attempt = Int(clamping: status?["restartCount"]?.intValue ?? 0)
        if options.isPrevious {
            attempt -= 1
            guard attempt >= 0 else {
                throw ClusterError(
                    .badRequest, "previous terminated container \"\(container)\" in pod \"\(pod.name)\" not found")
            }
        }
        let folder = folders.container(pod, container, attempt: attempt)
        // The status may lag behind a process that has begun, so the file decides.
        let hasLog = try await files.run { FileTools.exists(folder + "/log") }
        if !hasLog, let waiting = status?["state"]?["waiting"], !(await begins(pod, folder, options)) {
            let reason = waiting["reason"]?.stringValue ?? "ContainerCreating"
            throw ClusterError(
                .badRequest,
                "container \"\(container)\" in pod \"\(pod.name)\" is waiting to start: "
                    + (waiting["message"]?.stringValue ?? reason))
        }
        var log = StepLogOptions()
        log.timestamps = options.hasTimestamps
        log.tailLineCount = options.tailLines
        log.since =
            options.sinceTime.flatMap { WallTime(iso8601: $0) }
            ?? options.sinceSeconds.map { .now.advanced(seconds: -$0) }
        let key = pod.key
        let uid = pod.uid
        return PodLogStream(
            reader: StepLogReader(folder: folder, options: log), follow: options.isFollowing && !options.isPrevious,
            bytesLeft: options.limitBytes ?? .max, files: files
        ) { [store] in
            guard let now = store.find(key), now.uid == uid else { return true }
            let phase = now.status["phase"]?.stringValue ?? ""
            return phase == "Succeeded" || phase == "Failed"
                || Self.status(now, container)?["state"]?["terminated"] != nil
        }
    }

    /// Gives a container that is being made a moment to start, as a person who asks right after `apply` expects.
    private func begins(_ pod: Resource, _ folder: String, _ options: PodLogOptions) async -> Bool {
        for _ in 0..<10 {
            guard let now = store.find(pod.key), now.uid == pod.uid else { return false }
            let states = (now.status["containerStatuses"]?.arrayValue ?? []).compactMap { $0["state"] }
            if states.contains(where: { $0["waiting"]?["message"] != nil }) { return false }
            do { try await Task.sleep(nanoseconds: 20_000_000) } catch { return false }
            if (try? await files.run { FileTools.exists(folder + "/log") }) == true { return true }
        }
        return false
    }

    private static func status(_ pod: Resource, _ container: String) -> JSON? {
        let all =
            (pod.status["initContainerStatuses"]?.arrayValue ?? [])
            + (pod.status["containerStatuses"]?.arrayValue ?? [])
        return all.first { $0["name"]?.stringValue == container }
    }
}

/// A log being read, a piece at a time, by one task.
final class PodLogStream: PodLogReader {
    private struct Position: ~Copyable {
        var reader: StepLogReader
        var isStarted = false
        var pending: [UInt8] = []
        var bytesLeft: Int

        /// At most `countMax` bytes of what was read and not handed out.
        mutating func take(_ countMax: Int) -> [UInt8] {
            let piece = Array(pending.prefix(min(countMax, bytesLeft)))
            pending.removeFirst(piece.count)
            bytesLeft -= piece.count
            return piece
        }
    }

    private static let pieceBytesMax = 256 * 1024
    private let position: Mutex<Position>
    private let follow: Bool
    private let files: FilePool
    private let isOver: @Sendable () -> Bool

    init(
        reader: consuming sending StepLogReader, follow: Bool, bytesLeft: Int, files: FilePool,
        isOver: @escaping @Sendable () -> Bool
    ) {
        position = Mutex(Position(reader: reader, bytesLeft: bytesLeft))
        self.follow = follow
        self.files = files
        self.isOver = isOver
    }

    func next() async throws -> [UInt8]? {
        while true {
            // Asked before reading: what the process wrote before its end is read after.
            let wasOver = isOver()
            let (piece, isFull) = try await files.run {
                self.position.withLock { position -> ([UInt8], Bool) in
                    if !position.isStarted {
                        position.isStarted = true
                        position.pending = position.reader.existing()
                    } else if position.pending.isEmpty {
                        position.pending = position.reader.more()
                    }
                    return (position.take(Self.pieceBytesMax), position.bytesLeft == 0)
                }
            }
            if !piece.isEmpty { return piece }
            if !follow || wasOver || isFull { return nil }
            try await Task.sleep(nanoseconds: 50_000_000)
        }
    }
}
