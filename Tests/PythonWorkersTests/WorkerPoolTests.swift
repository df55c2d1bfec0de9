import Foundation
import Log
import Testing

@testable import PythonWorkers

/// The pool against Debian's own Python, which needs no library for a pickled estimator that is written here.
struct WorkerPoolTests {
    private let root = FileManager.default.temporaryDirectory.appendingPathComponent("workers-\(UUID().uuidString)")

    private static let model = """
        import os, time
        class Model:
            def predict(self, value):
                if value == "die": os._exit(4)
                if value == "slow": time.sleep(0.2)
                if value == "hang": time.sleep(60)
                if value.startswith("/"):
                    open(value + ".taken", "w")
                    while not os.path.exists(value): time.sleep(0.01)
                return [value, os.getpid()]
        """

    private func pool(_ limits: WorkerLimits = WorkerLimits(), count: Int = 1, _ code: String = model) throws
        -> WorkerPool
    {
        let python = try #require(PythonInterpreter(explicit: "/usr/bin/python3", runtimes: [], names: []))
        for part in ["src", "model"] {
            try FileManager.default.createDirectory(
                at: root.appendingPathComponent("m/\(part)"), withIntermediateDirectories: true)
        }
        try code.write(to: root.appendingPathComponent("m/src/shape.py"), atomically: true, encoding: .utf8)
        // Protocol 0 by hand: an object of the class above.
        try "cshape\nModel\n(tR.".write(
            to: root.appendingPathComponent("m/model/m.pkl"), atomically: true, encoding: .utf8)
        let load = #"{"name":"m","type":"sklearn","workspace":"\#(root.path)","installs":false}"#
        return try WorkerPool(
            name: "m",
            order: WorkerOrder(
                interpreter: python, workspace: root.path, environment: ["PATH": "/usr/bin:/bin"],
                load: Array(load.utf8), log: RotatingFile(root.path + "/log"), instanceCount: count),
            limits: limits)
    }

    private func finish(_ pool: WorkerPool) async {
        pool.retire()
        await pool.ended(withinMilliseconds: 5000)
        #expect(pool.statistics.servingCount == 0 || !pool.isServing)
        try? FileManager.default.removeItem(at: root)
    }

    private func run(_ pool: WorkerPool, _ value: String) async -> Result<String, WorkerError> {
        do throws(WorkerError) {
            return .success(String(decoding: try await pool.run(Array(#"{"test":"\#(value)"}"#.utf8)), as: UTF8.self))
        } catch {
            return .failure(error)
        }
    }

    private func until(_ condition: () -> Bool) async throws {
        for _ in 0..<500 where !condition() { try await Task.sleep(nanoseconds: 20_000_000) }
        #expect(condition())
    }

    @Test func requestsAreAnsweredByEveryWorker() async throws {
        let pool = try pool(count: 2)
        _ = try await pool.start()
        let answers = await withTaskGroup(of: String.self, returning: Set<String>.self) { group in
            for _ in 0..<8 { group.addTask { (try? await self.run(pool, "slow").get()) ?? "refused" } }
            return await group.reduce(into: []) { $0.insert($1) }
        }
        #expect(answers.count == 2 && !answers.contains("refused"), "\(answers)")
        await finish(pool)
    }

    @Test func oneThatDiesIsReplacedAndItsRequestRefused() async throws {
        let pool = try pool()
        _ = try await pool.start()
        #expect(await run(pool, "die") == .failure(WorkerError(.died, "its worker process died (exit status 4)")))
        // Until the next one has loaded the model; a busy machine may see it there already.
        if case .failure(let down) = await run(pool, "a") { #expect(down.code == .unavailable) }
        try await until { pool.isServing }
        #expect(try await run(pool, "a").get().hasPrefix(#"{"result": ["a", "#))
        #expect(pool.statistics.restartCount == 1)
        await finish(pool)
    }

    @Test func aRequestThatHangsEndsInTime() async throws {
        var limits = WorkerLimits()
        limits.requestMilliseconds = 300
        let pool = try pool(limits)
        _ = try await pool.start()
        guard case .failure(let late) = await run(pool, "hang") else { throw Unexpected() }
        #expect(late.code == .timedOut)
        try await until { pool.isServing }
        await finish(pool)
    }

    @Test func theQueueIsBounded() async throws {
        var limits = WorkerLimits()
        limits.queueCountMax = 1
        let pool = try pool(limits)
        _ = try await pool.start()
        let gate = root.appendingPathComponent("gate").path
        async let first = run(pool, gate)
        try await until { FileManager.default.fileExists(atPath: gate + ".taken") }
        async let second = run(pool, gate)
        try await until { pool.statistics.waitingCount == 1 }
        for _ in 0..<4 {
            guard case .failure(let error) = await run(pool, "a") else { throw Unexpected() }
            #expect(error.code == .overloaded)
        }
        #expect(FileManager.default.createFile(atPath: gate, contents: nil))
        #expect(try await first.get().contains("gate"))
        #expect(try await second.get().contains("gate"))
        await finish(pool)
    }

    @Test func whatWaitsWhenAPoolIsRetiredIsAnswered() async throws {
        let pool = try pool()
        _ = try await pool.start()
        // Answered once there is a file of this name: nothing depends on who is fast.
        let gate = root.appendingPathComponent("gate").path
        async let first = run(pool, gate)
        async let second = run(pool, gate)
        try await until { pool.statistics.waitingCount == 1 }
        pool.retire()
        #expect(FileManager.default.createFile(atPath: gate, contents: nil))
        #expect(try await first.get().contains("gate"))
        #expect(try await second.get().contains("gate"))
        guard case .failure(let error) = await run(pool, "a") else { throw Unexpected() }
        #expect(error.code == .retired)
        await finish(pool)
    }

    @Test func aLoadThatFailsSaysWhy() async throws {
        let pool = try pool(WorkerLimits(), count: 2, "class Other: pass")
        await #expect(throws: WorkerError.self) { _ = try await pool.start() }
        await finish(pool)
    }

    @Test func aLoadThatTakesTooLongIsEnded() async throws {
        var limits = WorkerLimits()
        limits.loadMilliseconds = 300
        let pool = try pool(limits, count: 1, "import time\ntime.sleep(60)")
        let error = WorkerError(
            .loadFailed,
            "loading it failed: no answer within the time allowed; the worker was ended and is replaced")
        await #expect(throws: error) { _ = try await pool.start() }
        await finish(pool)
    }

    private struct Unexpected: Error {}
}
