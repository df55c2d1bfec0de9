import Clock
import Runtimes
import Testing

@testable import Inference

@Suite struct RequestQueueTests {
    private func configuration(_ batchSizeMax: Int, preferred: [Int] = [], delay: UInt64 = 0) -> ModelConfiguration {
        var configuration = ModelConfiguration(name: "m")
        configuration.batchSizeMax = batchSizeMax
        configuration.dynamicBatching = .init()
        configuration.dynamicBatching?.preferredBatchSizes = preferred
        configuration.dynamicBatching?.queueDelayMicrosecondsMax = delay
        return configuration
    }

    /// Fills a queue with requests of these sizes (arrived at moment 0), asks once, and answers all of them.
    private func decide(
        _ rows: [Int], width: [Int]? = nil, _ configuration: ModelConfiguration, at moment: UInt64 = 0,
        deadline: UInt64? = nil
    ) async -> (batch: Int?, waits: Bool, expired: Int) {
        nonisolated(unsafe) var queue = RequestQueue()
        nonisolated(unsafe) var answers: [UnsafeContinuation<Result<InferenceResponse, InferenceError>, Never>] = []
        await withTaskGroup(of: Void.self) { group in
            for (index, row) in rows.enumerated() {
                let columns = width?[index] ?? 1
                let tensor = Tensor(
                    type: .uint8, shape: [row, columns], data: [UInt8](repeating: 0, count: row * columns)[...])
                await withUnsafeContinuation { (ready: UnsafeContinuation<Void, Never>) in
                    group.addTask {
                        _ = await withUnsafeContinuation { continuation in
                            answers.append(continuation)
                            queue.append(
                                PendingRequest(
                                    request: InferenceRequest(inputs: [("x", tensor)]), rows: row,
                                    arrived: MonotonicTime(nanoseconds: 0),
                                    deadline: deadline.map { MonotonicTime(nanoseconds: $0) },
                                    continuation: continuation))
                            ready.resume()
                        }
                    }
                }
            }
            for answer in answers { answer.resume(returning: .failure(InferenceError(.failed, "test"))) }
        }
        let now = MonotonicTime(nanoseconds: moment)
        let expired = queue.takeExpired(now: now).count
        switch queue.next(configuration, now: now) {
        case .run(let batch): return (batch.count, false, expired)
        case .wait: return (nil, true, expired)
        case .stop: return (nil, false, expired)
        }
    }

    @Test func withoutBatchingEachRunsAlone() async {
        var alone = configuration(8)
        alone.dynamicBatching = nil
        #expect(await decide([1, 1], alone).batch == 1)
    }

    @Test func takesWhatFits() async {
        #expect(await decide([1, 2, 3], configuration(8)).batch == 3)
        #expect(await decide([4, 4, 4], configuration(8)).batch == 2)
        #expect(await decide([6, 4], configuration(8)).batch == 1)
    }

    @Test func onlyEqualShapesShareARun() async {
        #expect(await decide([1, 1, 1], width: [2, 2, 3], configuration(8)).batch == 2)
    }

    @Test func waitsForAPreferredSize() async {
        let preferring = configuration(8, preferred: [4], delay: 1000)
        #expect(await decide([1, 1], preferring).waits)
        #expect(await decide([2, 2, 1], preferring).batch == 2)
        #expect(await decide([1, 1], preferring, at: 1_000_000).batch == 2)
        #expect(await decide([], preferring).batch == nil)
    }

    @Test func waitingTooLongIsFound() async {
        let result = await decide([1, 1], configuration(8), at: 10, deadline: 10)
        #expect(result.expired == 2 && result.batch == nil)
    }
}

@Suite struct RuntimeTextTests {
    @Test func pathsAreCut() {
        #expect(
            RuntimeText.withoutPaths("Load model from /srv/secret/model.onnx failed: /a/b.cc:12 (x/y)")
                == "Load model from model.onnx failed: b.cc:12 (x/y)")
    }
}
