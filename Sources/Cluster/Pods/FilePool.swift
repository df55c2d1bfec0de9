import Bytes
import EventLoop
import Files

/// File work of the controllers, on threads that may block.
final class FilePool: Sendable {
    private let pool = BlockingPool(name: "cluster-files", threadCount: 2, backlogCountMax: 1_000_000)

    func run<Value: Sendable>(_ body: @escaping @Sendable () throws -> Value) async throws -> Value {
        try await pool.run(body)
    }

    func materialize(_ volumes: PodVolumes) async throws {
        if volumes.pathsToMake.isEmpty { return }
        let copy = volumes
        try await pool.run { try copy.materialize() }
    }

    func remove(_ folder: String) async {
        // What cannot be removed now is swept at the next start.
        try? await pool.run { FileTools.removeTree(folder) }
    }

    /// The highest attempt beside the folder of attempt 0.
    func latestAttempt(_ first: String) async -> Int {
        guard let parent = first.divided(atLast: "/").map({ String($0.before) }) else { return 0 }
        return (try? await pool.run { FileTools.names(in: parent).compactMap { Int($0) }.max() ?? 0 }) ?? 0
    }
}
