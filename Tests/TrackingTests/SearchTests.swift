import DatabaseTesting
import Testing

@testable import Tracking

/// Searches, on both engines: the same rows in the same order.
struct SearchTests {
    private func runs(_ store: TrackingStore, _ filter: String, _ orderBy: [String] = ["run_name ASC"]) async throws
        -> [String]
    {
        try await store.searchRuns(
            experimentIDs: ["0"], filter: filter, view: .activeOnly, orderBy: orderBy, countMax: 100, pageToken: nil
        ).elements.map(\.information.name)
    }

    private func fill(_ store: TrackingStore) async throws {
        let rows: [(name: String, loss: Double?, rate: String, tag: String?)] = [
            ("alpha", 0.5, "0.1", "Größe"), ("Beta", 0.25, "10", "a%b"), ("gamma", .nan, "9", #"C:\dir"#),
            ("delta", nil, "x", nil),
            ("epsilon", -.infinity, "0.1", "größe"), ("zeta", .infinity, "", ""),
        ]
        for (index, row) in rows.enumerated() {
            let id = try await store.createRun(
                experimentID: "0", user: "u", name: row.name, startMilliseconds: 1000 + index, tags: []
            ).information.id
            try await store.logBatch(
                runID: id,
                metrics: row.loss.map { [MetricPoint(key: "loss", value: $0, timestampMilliseconds: 1, step: 1)] }
                    ?? [],
                parameters: [KeyText(key: "rate", value: row.rate)],
                tags: row.tag.map { [KeyText(key: "note", value: $0)] } ?? [])
        }
    }

    @Test(arguments: TestEngine.available)
    func filters(engine: TestEngine) async throws {
        let temporary = try await TemporaryStore(engine)
        let store = temporary.store
        try await fill(store)
        let cases: [(String, [String])] = [
            ("", ["Beta", "alpha", "delta", "epsilon", "gamma", "zeta"]),
            ("metrics.loss < 0.5", ["Beta", "epsilon"]), ("metrics.loss != 0", ["Beta", "alpha", "epsilon", "zeta"]),
            ("metrics.loss >= 1", ["zeta"]), ("params.rate = '0.1'", ["alpha", "epsilon"]),
            ("params.rate LIKE '%.%'", ["alpha", "epsilon"]),
            ("params.rate != '0.1'", ["Beta", "delta", "gamma", "zeta"]),
            ("run_name LIKE 'b%'", []), ("run_name ILIKE 'b%'", ["Beta"]), ("run_name LIKE '_eta'", ["Beta", "zeta"]),
            // Letters beyond ASCII keep their case, whatever the server's locale.
            ("tags.note ILIKE 'GR%E'", ["alpha", "epsilon"]), ("tags.note ILIKE 'gröSSE'", []),
            ("tags.note = 'Größe'", ["alpha"]), (#"tags.note LIKE 'C:\d%'"#, ["gamma"]),
            (#"tags.note LIKE 'a\%b'"#, []),
            ("tags.note IS NULL", ["delta"]),
            ("tags.note IS NOT NULL AND metrics.loss > 0", ["Beta", "alpha", "zeta"]),
            ("start_time > 1003", ["epsilon", "zeta"]), ("start_time > 1003.5", ["epsilon", "zeta"]),
            ("end_time > 0", []), ("status = 'RUNNING' and run_name = 'gamma'", ["gamma"]),
        ]
        for (filter, expected) in cases { #expect(try await runs(store, filter) == expected, "\(filter)") }
    }

    @Test(arguments: TestEngine.available)
    func orders(engine: TestEngine) async throws {
        let temporary = try await TemporaryStore(engine)
        let store = temporary.store
        try await fill(store)
        // NaN and what is missing come last in either direction.
        #expect(
            try await runs(store, "", ["metrics.loss ASC"]) == ["epsilon", "Beta", "alpha", "zeta", "gamma", "delta"])
        #expect(
            try await runs(store, "", ["metrics.loss DESC"]) == ["zeta", "alpha", "Beta", "epsilon", "gamma", "delta"])
        #expect(
            try await runs(store, "", ["params.rate DESC", "run_name ASC"])
                == ["delta", "gamma", "Beta", "alpha", "epsilon", "zeta"])
        #expect(try await runs(store, "", ["tags.note ASC"]).suffix(1) == ["delta"])
        #expect(try await runs(store, "", []) == ["zeta", "epsilon", "delta", "gamma", "Beta", "alpha"])
        let history = try await store.searchRuns(
            experimentIDs: ["0"], filter: "run_name = 'zeta'", view: .all, orderBy: [], countMax: 1, pageToken: nil)
        #expect(history.elements.first?.metrics.first?.value == .greatestFiniteMagnitude)
    }

    @Test(arguments: TestEngine.available)
    func pagesStayTheSameWhileRunsArrive(engine: TestEngine) async throws {
        let temporary = try await TemporaryStore(engine)
        let store = temporary.store
        try await fill(store)
        var names: [String] = []
        var token: String?
        repeat {
            let page = try await store.searchRuns(
                experimentIDs: ["0"], filter: "", view: .activeOnly, orderBy: ["run_name ASC"], countMax: 2,
                pageToken: token)
            names += page.elements.map(\.information.name)
            token = page.nextPageToken
            _ = try await store.createRun(experimentID: "0", user: "", name: "A-late", startMilliseconds: 1, tags: [])
        } while token != nil
        #expect(names == ["Beta", "alpha", "delta", "epsilon", "gamma", "zeta"])
    }

    @Test(arguments: TestEngine.available)
    func aLoggedModelIsOrderedByItsNewestValue(engine: TestEngine) async throws {
        let temporary = try await TemporaryStore(engine)
        let store = temporary.store
        let runID = try await store.createRun(experimentID: "0", user: "", name: "", startMilliseconds: 1, tags: [])
            .information.id
        for (name, points) in [("a", [(1, "d", 5.0), (2, "e", 1.0)]), ("b", [(1, "d", 3.0)]), ("c", [])] {
            let model = try await store.createLoggedModel(
                experimentID: "0", name: name, type: nil, sourceRunID: runID, parameters: [], tags: [])
            for (time, dataset, value) in points {
                try await store.logMetric(
                    runID: runID,
                    point: MetricPoint(
                        key: "m", value: value, timestampMilliseconds: time, step: time, modelID: model.id,
                        datasetName: dataset, datasetDigest: "x"))
            }
        }
        func names(_ order: LoggedModelOrder) async throws -> [String] {
            try await store.searchLoggedModels(
                experimentIDs: ["0"], filter: "", datasets: [], orders: [order], countMax: 10, pageToken: nil
            ).elements.map(\.name)
        }
        #expect(try await names(LoggedModelOrder(field: "metrics.m", isAscending: true)) == ["a", "b", "c"])
        #expect(
            try await names(LoggedModelOrder(field: "metrics.m", isAscending: true, datasetName: "d"))
                == ["b", "a", "c"])
    }

    @Test(arguments: TestEngine.available)
    func theRegistryKeepsItsRules(engine: TestEngine) async throws {
        let temporary = try await TemporaryStore(engine)
        let store = temporary.store
        for name in ["m1", "m2"] { _ = try await store.createRegisteredModel(name: name, description: nil, tags: []) }
        for _ in 0..<3 {
            _ = try await store.createModelVersion(
                name: "m1", source: "s3://b/x", runID: "r", runLink: nil, description: nil, modelID: nil,
                tags: [KeyText(key: "k", value: "v")])
        }
        try await store.setAlias(name: "m1", alias: "best", version: 2)
        _ = try await store.transitionModelVersion(name: "m1", version: 2, stage: "production", archiveOthers: true)
        _ = try await store.transitionModelVersion(name: "m1", version: 3, stage: "Production", archiveOthers: true)
        _ = try await store.renameRegisteredModel(name: "m1", to: "renamed")
        let model = try await store.registeredModel(name: "renamed")
        #expect(model.aliases.map(\.version) == [2] && model.latestVersions.map(\.version) == [1, 2, 3])
        #expect(try await store.modelVersion(name: "renamed", version: 2).stage == .archived)
        let found = try await store.searchModelVersions(
            filter: "run_id = 'r' and tags.k = 'v'", orderBy: ["version_number DESC"], countMax: 2, pageToken: nil)
        #expect(found.elements.map(\.version) == [3, 2] && found.nextPageToken != nil)
        try await store.deleteRegisteredModel(name: "renamed")
        let rest = try await store.searchRegisteredModels(filter: "", orderBy: [], countMax: 5, pageToken: nil)
        #expect(rest.elements.map(\.name) == ["m2"])
    }

    @Test(arguments: TestEngine.available)
    func aVersionOfALoggedModelKnowsItsRun(engine: TestEngine) async throws {
        let temporary = try await TemporaryStore(engine)
        let store = temporary.store
        let model = try await store.createLoggedModel(
            experimentID: "0", name: "x", type: nil, sourceRunID: "run-1", parameters: [], tags: [])
        _ = try await store.createRegisteredModel(name: "m", description: nil, tags: [])
        func runs(_ source: String, _ runID: String?, _ modelID: String?) async throws -> String? {
            try await store.createModelVersion(
                name: "m", source: source, runID: runID, runLink: nil, description: nil, modelID: modelID, tags: []
            ).runID
        }
        #expect(try await runs("models:/\(model.id)", "", nil) == "run-1")
        #expect(try await runs("s3://b/x", nil, model.id) == "run-1")
        #expect(try await runs("s3://b/x", "other", model.id) == "other")
        #expect(try await runs("models:/m-unknown", nil, nil) == nil)
    }

    @Test func whatPostgreSQLCannotKeepIsTheClientsFault() async throws {
        guard TestEngine.available.contains(.postgres) else { return }
        let temporary = try await TemporaryStore(.postgres)
        let store = temporary.store
        let id = try await store.createRun(experimentID: "0", user: "", name: "", startMilliseconds: 1, tags: [])
            .information.id
        await #expect { try await store.setTag(runID: id, tag: KeyText(key: "k", value: "a\0b")) } throws: {
            ($0 as? TrackingError)?.code == .invalidParameterValue
        }
        _ = try await store.createRegisteredModel(name: "m", description: nil, tags: [])
        // Too long for an index, also when it is packed.
        let long = String((0..<20_000).map { _ in "0123456789abcdef".randomElement() ?? "0" })
        await #expect {
            _ = try await store.createModelVersion(
                name: "m", source: "s3://b/x", runID: long, runLink: nil, description: nil, modelID: nil, tags: [])
        } throws: { ($0 as? TrackingError)?.code == .invalidParameterValue }
    }
}
