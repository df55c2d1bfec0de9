import DatabaseTesting
import Testing

@testable import Tracking

struct StoreTests {
    func refusal(_ body: () async throws -> Void) async -> TrackingError.Code? {
        do {
            try await body()
            return nil
        } catch { return (error as? TrackingError)?.code }
    }

    @Test(arguments: TestEngine.available)
    func eightWritersOfOneBatchLeaveEachPointOnce(engine: TestEngine) async throws {
        let temporary = try await TemporaryStore(engine)
        let store = temporary.store
        let run = try await store.createRun(experimentID: "0", user: "", name: "", startMilliseconds: 1, tags: [])
        let id = run.information.id
        let points = (0..<200).map { MetricPoint(key: "m", value: Double($0), timestampMilliseconds: $0, step: $0) }
        try await withThrowingTaskGroup(of: Void.self) { group in
            for _ in 0..<8 {
                group.addTask {
                    try await store.logBatch(
                        runID: id, metrics: points, parameters: [KeyText(key: "p", value: "1")], tags: [])
                }
            }
            try await group.waitForAll()
        }
        let history = try await store.metricHistory(runID: id, key: "m", countMax: nil, pageToken: nil)
        #expect(history.elements.map(\.step) == Array(0..<200))
        #expect(try await store.run(id: id).metrics.map(\.value) == [199])
    }

    @Test(arguments: TestEngine.available)
    func theLatestPointIsTheGreatestStepThenTimeThenValue(engine: TestEngine) async throws {
        let temporary = try await TemporaryStore(engine)
        let store = temporary.store
        let id = try await store.createRun(experimentID: "0", user: "", name: "", startMilliseconds: 1, tags: [])
            .information.id
        for (step, time, value) in [(1, 5, 1.0), (2, 1, 2.0), (2, 1, 1.5), (2, 3, 0.5), (1, 9, 9.0)] {
            try await store.logMetric(
                runID: id, point: MetricPoint(key: "m", value: value, timestampMilliseconds: time, step: step))
        }
        #expect(try await store.run(id: id).metrics.map(\.value) == [0.5])
        let all = try await store.metricHistory(runID: id, key: "m", countMax: 2, pageToken: nil)
        #expect(all.elements.count == 2)
        let rest = try await store.metricHistory(runID: id, key: "m", countMax: 10, pageToken: all.nextPageToken)
        #expect(rest.elements.count == 3 && rest.nextPageToken == nil)
    }

    @Test(arguments: TestEngine.available)
    func aSampleKeepsTheEnds(engine: TestEngine) async throws {
        let temporary = try await TemporaryStore(engine)
        let store = temporary.store
        let id = try await store.createRun(experimentID: "0", user: "", name: "", startMilliseconds: 1, tags: [])
            .information.id
        try await store.logBatch(
            runID: id, metrics: (0..<1000).map { MetricPoint(key: "m", value: 0, timestampMilliseconds: 0, step: $0) },
            parameters: [], tags: [])
        func steps(_ count: Int, _ range: ClosedRange<Int>? = nil) async throws -> [Int] {
            try await store.sampledHistories(runIDs: [id], key: "m", steps: range, countMax: count).map(\.step)
        }
        #expect(try await steps(5) == [0, 249, 499, 749, 999])
        #expect(try await steps(1) == [999])
        #expect(try await steps(2500) == Array(0..<1000))
        #expect(try await steps(3, 10...20) == [10, 15, 20])
    }

    @Test(arguments: TestEngine.available)
    func aRefusedBatchLeavesNothing(engine: TestEngine) async throws {
        let temporary = try await TemporaryStore(engine)
        let store = temporary.store
        let id = try await store.createRun(experimentID: "0", user: "", name: "", startMilliseconds: 1, tags: [])
            .information.id
        try await store.logParameter(runID: id, parameter: KeyText(key: "p", value: "1"))
        let code = await refusal {
            try await store.logBatch(
                runID: id, metrics: [MetricPoint(key: "m", value: 1, timestampMilliseconds: 1, step: 1)],
                parameters: [KeyText(key: "p", value: "2")], tags: [])
        }
        #expect(code == .invalidParameterValue)
        #expect(try await store.run(id: id).metrics.isEmpty)
        try await store.logParameter(runID: id, parameter: KeyText(key: "p", value: "1"))
        try await store.logParameter(
            runID: id, parameter: KeyText(key: "long", value: String(repeating: "x", count: 7000)))
        #expect(try await store.run(id: id).parameters.first { $0.key == "long" }?.value.count == 6000)
    }

    @Test(arguments: TestEngine.available)
    func versionNumbersAreNeverReusedUnderConcurrency(engine: TestEngine) async throws {
        let temporary = try await TemporaryStore(engine)
        let store = temporary.store
        _ = try await store.createRegisteredModel(name: "m", description: nil, tags: [])
        let numbers = try await withThrowingTaskGroup(of: Int.self, returning: [Int].self) { group in
            for _ in 0..<20 {
                group.addTask {
                    let version = try await store.createModelVersion(
                        name: "m", source: "s3://b/x", runID: nil, runLink: nil, description: nil, modelID: nil,
                        tags: []
                    ).version
                    try await store.deleteModelVersion(name: "m", version: version)
                    return version
                }
            }
            return try await group.reduce(into: []) { $0.append($1) }
        }
        #expect(numbers.sorted() == Array(1...20))
    }

    @Test(arguments: ["", "a/b", "a:b", "x\u{1}", String(repeating: "x", count: 257)])
    func modelNamesAreChecked(name: String) async throws {
        let temporary = try await TemporaryStore()
        let code = await refusal {
            _ = try await temporary.store.createRegisteredModel(name: name, description: nil, tags: [])
        }
        #expect(code == .invalidParameterValue)
    }

    @Test(arguments: ["", "v1", "V22", "latest", "Latest", "a b", "a/b", String(repeating: "a", count: 256)])
    func aliasesAreChecked(alias: String) {
        #expect(throws: TrackingError.self) { try NameRules.checkAlias(alias) }
    }

    @Test(arguments: [
        "", "../a", "a/../b", "/a", "a/", "a//b", ".", "a/./b", "a*b", "a\nb", String(repeating: "k", count: 251),
    ])
    func keysAreChecked(key: String) {
        #expect(throws: TrackingError.self) { try NameRules.checkKey(key, "metric") }
    }

    /// OHM SIGN and GREEK CAPITAL LETTER OMEGA: equal to `String`, two names to every client and database.
    @Test(arguments: TestEngine.available)
    func namesThatOnlyBytesTellApartAreTwo(engine: TestEngine) async throws {
        let temporary = try await TemporaryStore(engine)
        let store = temporary.store
        let (ohm, omega) = ("\u{2126}", "\u{3a9}")
        let id = try await store.createRun(experimentID: "0", user: "", name: "", startMilliseconds: 1, tags: [])
            .information.id
        let texts = [KeyText(key: ohm, value: "1"), KeyText(key: omega, value: "2")]
        let points = [ohm, omega].map { MetricPoint(key: $0, value: 1, timestampMilliseconds: 1, step: 0) }
        try await store.logBatch(runID: id, metrics: points, parameters: texts, tags: texts)
        let run = try await store.run(id: id)
        #expect(run.metrics.count == 2 && run.parameters.count == 2)
        #expect(run.tags.count { $0.key.utf8.elementsEqual(ohm.utf8) || $0.key.utf8.elementsEqual(omega.utf8) } == 2)
        let changed = await refusal {
            try await store.logBatch(runID: id, metrics: [], parameters: [KeyText(key: "p", value: ohm)], tags: [])
            try await store.logBatch(runID: id, metrics: [], parameters: [KeyText(key: "p", value: omega)], tags: [])
        }
        #expect(changed == .invalidParameterValue)
        // A key that is refused is refused after its twin, too.
        let marked = [
            MetricPoint(key: "\u{e9}", value: 1, timestampMilliseconds: 1, step: 0),
            MetricPoint(key: "e\u{301}", value: 1, timestampMilliseconds: 1, step: 0),
        ]
        let refused = await refusal { try await store.logBatch(runID: id, metrics: marked, parameters: [], tags: []) }
        #expect(refused == .invalidParameterValue)
        for name in [ohm, omega] { _ = try await store.createRegisteredModel(name: name, description: nil, tags: []) }
        let taken = await refusal { _ = try await store.renameRegisteredModel(name: ohm, to: omega) }
        #expect(taken == .resourceAlreadyExists)
    }

    @Test(arguments: TestEngine.available)
    func localSourcesStayInTheRunsFolder(engine: TestEngine) async throws {
        let temporary = try await TemporaryStore(engine)
        let store = temporary.store
        _ = try await store.createRegisteredModel(name: "m", description: nil, tags: [])
        let experiment = try await store.createExperiment(name: "local", artifactLocation: "file:///data/e", tags: [])
        let run = try await store.createRun(
            experimentID: "\(experiment)", user: "", name: "", startMilliseconds: 1, tags: [])
        func create(_ source: String, run id: String?) async throws {
            _ = try await store.createModelVersion(
                name: "m", source: source, runID: id, runLink: nil, description: nil, modelID: nil, tags: [])
        }
        try await create("\(run.information.artifactLocation)/model", run: run.information.id)
        for source in ["/etc", "file:///etc", "\(run.information.artifactLocation)x", "file:///data/e"] {
            #expect(await refusal { try await create(source, run: run.information.id) } == .invalidParameterValue)
        }
        #expect(
            await refusal { try await create(run.information.artifactLocation, run: nil) } == .invalidParameterValue)
    }
}
