// One pack: what is loaded, and how it is replaced. A new model is fetched, unpacked beside and loaded by new worker
// processes while the old ones serve; then one assignment switches, and the old ones end when they have answered what they
// took. A model that does not load changes nothing.

import Bytes
import Clock
package import EventLoop
import Files
import Formats
package import Log
import PythonWorkers
import Synchronization

package final class Pack: Sendable {
    private struct State {
        var current: LoadedPack?
        var failure: String?
    }

    package let configuration: PackConfiguration
    private let folder: PackFolder
    private let pool: BlockingPool
    /// What happened, as the original's `logs/my.log`.
    private let events: RotatingFile
    /// What workers print.
    private let output: RotatingFile
    private let logger = Logger(role: "pack")
    private let turn: ControlTurn
    private let counters = PackCounters()
    private let state: Mutex<State>

    package var name: String { configuration.layout.name }

    /// - Parameter pool: runs downloads and unpacking.
    package init(
        configuration: PackConfiguration, folder: PackFolder, pool: BlockingPool, events: RotatingFile,
        output: RotatingFile
    ) {
        self.configuration = configuration
        self.folder = folder
        self.pool = pool
        self.events = events
        self.output = output
        turn = ControlTurn(countMax: configuration.limits.controlCountMax)
        state = Mutex(State(failure: "the model is being loaded"))
    }

    // MARK: Serving

    package var current: PackState {
        let (current, failure) = state.withLock { ($0.current, $0.failure) }
        return PackState(
            model: current?.model, python: current?.python, warnings: current?.warnings ?? [],
            isServing: current?.pool.isServing ?? false, failure: failure)
    }

    /// The answer of the model to a request body, `{"test": input}`: `{"result": output}`. Throws `PackError`.
    package func result(_ body: [UInt8]) async throws(PackError) -> [UInt8] {
        // A pool that was retired between the look and the call has a successor.
        for _ in 0..<16 {
            let (current, failure) = state.withLock { ($0.current, $0.failure) }
            guard let current else {
                let error = PackError(.notLoaded, "model \"\(name)\" is not loaded: \(failure ?? "call /model_load")")
                counters.count(error)
                throw error
            }
            do throws(WorkerError) {
                let answer = try await current.pool.run(body)
                counters.done.wrappingAdd(1, ordering: .relaxed)
                return answer
            } catch {
                if error.code == .retired { continue }
                let refusal = PackError(error, model: name)
                counters.count(refusal)
                throw refusal
            }
        }
        throw PackError(.overloaded, "model \"\(name)\" is being replaced again and again; try again")
    }

    package var counts: PackCounts {
        let current = state.withLock { $0.current }?.pool.statistics
        return PackCounts(
            results: [
                ("done", counters.done.load(ordering: .relaxed)),
                ("invalid", counters.invalid.load(ordering: .relaxed)),
                ("failed", counters.failed.load(ordering: .relaxed)),
                ("rejected", counters.rejected.load(ordering: .relaxed)),
            ],
            loads: counters.loads.load(ordering: .relaxed),
            loadFailures: counters.loadFailures.load(ordering: .relaxed),
            restarts: counters.restarts.load(ordering: .relaxed) + (current?.restartCount ?? 0),
            waiting: current?.waitingCount ?? 0,
            computeNanoseconds: counters.computeNanoseconds.load(ordering: .relaxed)
                + (current?.computeNanoseconds ?? 0))
    }

    /// Ends the workers, waiting a moment for them. The pack answers nothing more.
    package func stop() async {
        let last = state.withLock { state in
            defer {
                state.current = nil
                state.failure = "the server is stopping"
            }
            return state.current
        }
        guard let last else { return }
        last.pool.retire()
        await last.pool.ended(withinMilliseconds: 1500)
    }

    // MARK: Loading

    /// Loads what the local folder holds; a folder that holds nothing is no error.
    package func start() async {
        guard folder.model() != nil, folder.sources() != nil else {
            let missing = folder.sources() == nil ? "/src_download, then /model_download" : "/model_download"
            state.withLock { $0.failure = "no model is in the local folder yet: call \(missing)" }
            note("nothing to load yet", [("folder", folder.root)])
            return
        }
        do throws(PackError) {
            _ = try await reload()
        } catch {
            logger.warning("the model of the last start cannot be loaded", [("reason", error.message)])
        }
    }

    /// Loads sources and model of the local folder again.
    package func reload() async throws(PackError) -> PackReport {
        try await turn.enter()
        defer { turn.leave() }
        let started = MonotonicTime.now
        guard let model = try await blocking(pool, { [folder] in folder.model() }) else {
            throw refused(PackError(.notLoaded, "no model is in the local folder: call /model_download"), "load")
        }
        var report = PackReport()
        do throws(PackError) {
            let loaded = try await load(model.part, name: model.name)
            report.replaced = replace(loaded)
            report.model = loaded.model
            report.warnings = loaded.warnings
        } catch {
            throw refused(error, "load of \(model.name)")
        }
        report.seconds = started.elapsedSeconds
        note("loaded", [("model", model.name), ("seconds", "\(report.seconds)")])
        return report
    }

    /// Fetches the sources. The model that is loaded goes on with its own; the next load takes the new ones.
    package func downloadSources() async throws(PackError) -> PackReport {
        try await turn.enter()
        defer { turn.leave() }
        let started = MonotonicTime.now
        var report = PackReport()
        do throws(PackError) {
            let storage = try storage()
            let (file, path) = try await fetch(configuration.layout.sourceFile, name: "\(name).zip", from: storage)
            try await blocking(pool) { [folder, configuration] () throws(PackError) in
                do throws(PackError) {
                    try folder.check(
                        sources: path, type: configuration.type, limits: configuration.limits.archive)
                    try folder.publishSources(path)
                } catch {
                    FileTools.removeTree(path)
                    throw error
                }
            }
            report.file = file
            report.storage = storage.name
        } catch {
            throw refused(error, "download of the sources")
        }
        report.seconds = started.elapsedSeconds
        note("downloaded sources", [("sha256", report.file?.sha256 ?? ""), ("from", report.storage ?? "")])
        return report
    }

    /// Fetches the newest model, or the one of `date`, loads it and switches to it.
    package func downloadModel(_ date: PackDate? = nil) async throws(PackError) -> PackReport {
        try await turn.enter()
        defer { turn.leave() }
        let started = MonotonicTime.now
        var report = PackReport()
        do throws(PackError) {
            guard try await blocking(pool, { [folder] in folder.sources() }) != nil else {
                throw PackError(
                    .sourcesMissing,
                    "model \"\(name)\" has no sources here yet: call /src_download before /model_download")
            }
            let storage = try storage()
            let place = "\(storage.name)/\(configuration.layout.modelFolder)"
            let listing = ModelListing(try await storage.names(configuration.layout.modelFolder))
            let newest = try listing.pick(date, place: place)
            report.warnings = listing.ignored.map { "\($0) in \(place) is not named after a day and was passed over" }
            try await install(newest, from: storage, &report)
            report.storage = storage.name
        } catch {
            throw refused(error, "download of the model")
        }
        report.seconds = started.elapsedSeconds
        note(
            "switched",
            [
                ("model", report.model ?? ""), ("from", report.replaced ?? "none"), ("seconds", "\(report.seconds)"),
            ])
        return report
    }

    private func install(
        _ date: PackDate, from storage: any PackStorage, _ report: inout PackReport
    ) async throws(PackError) {
        let fileName = "\(date.text).zip"
        let (file, path) = try await fetch(configuration.layout.modelFile(date), name: fileName, from: storage)
        let loaded: LoadedPack
        do throws(PackError) {
            loaded = try await load(.zip(path), name: fileName)
        } catch {
            try await blocking(pool) { FileTools.removeTree(path) }
            throw error
        }
        do throws(PackError) {
            try await blocking(pool) { [folder] () throws(PackError) in try folder.publishModel(path, date) }
        } catch {
            loaded.pool.retire()
            throw error
        }
        report.replaced = replace(loaded)
        report.file = file
        report.model = fileName
        report.warnings += loaded.warnings
    }

    private func storage() throws(PackError) -> any PackStorage {
        if let storage = configuration.storage { return storage }
        throw PackError(
            .unconfigured,
            "no storage is configured: start with --storage s3://BUCKET, a folder, or sftp://HOST/FOLDER")
    }

    /// Fetches a file into the folder; the path is removed by whoever does not publish it.
    private func fetch(
        _ path: String, name: String, from storage: any PackStorage
    ) async throws(PackError) -> (PackFile, String) {
        let limit = configuration.limits.zipBytesMax
        let file = try await blocking(pool) { [folder] () throws(PackError) in
            try folder.incoming(name, bytesMax: limit)
        }
        do throws(PackError) {
            guard try await storage.fetch(path, into: file) else {
                throw PackError(.notFound, "\(storage.name) holds no \(path)")
            }
            return (try await blocking(pool) { () throws(PackError) in try file.finish() }, file.path)
        } catch {
            try await blocking(pool) { FileTools.removeTree(file.path) }
            throw error
        }
    }

    /// Unpacks and starts workers.
    private func load(_ model: PackPart, name modelName: String) async throws(PackError) -> LoadedPack {
        let workspace = try await blocking(pool) { [folder, configuration, name] () throws(PackError) in
            guard let sources = folder.sources() else {
                throw PackError(
                    .sourcesMissing, "model \"\(name)\" has no sources here: call /src_download, then /model_download")
            }
            return try folder.workspace(
                sources: sources, model: model, type: configuration.type, modelName: modelName,
                limits: configuration.limits.archive)
        }
        do throws(WorkerError) {
            let workers = try WorkerPool(
                name: name, order: order(workspace), limits: configuration.limits.workers,
                onEnd: { FileTools.removeTree(workspace) })
            let bytes = try await workers.start()
            let answer = try? JSON.parse(bytes)
            return LoadedPack(
                pool: workers, model: modelName,
                warnings: (answer?["warnings"]?.arrayValue ?? []).compactMap(\.stringValue),
                python: answer?["python"]?.stringValue ?? "")
        } catch {
            throw PackError(.packInvalid, "\(modelName) of \"\(name)\" cannot be loaded: \(error.message)")
        }
    }

    private func order(_ workspace: String) -> WorkerOrder {
        let load: JSON = [
            "name": .string(name), "type": .string(configuration.type.rawValue), "workspace": .string(workspace),
            "installs": .bool(configuration.installsRequirements),
        ]
        return WorkerOrder(
            interpreter: configuration.interpreter, workspace: workspace, environment: configuration.workerEnvironment,
            load: load.encoded, log: output, instanceCount: configuration.workerCount)
    }

    /// Switches to `loaded` and returns the name of what served before.
    private func replace(_ loaded: LoadedPack) -> String? {
        let old = state.withLock { state in
            defer {
                state.current = loaded
                state.failure = nil
            }
            return state.current
        }
        counters.loads.wrappingAdd(1, ordering: .relaxed)
        if let old {
            let statistics = old.pool.statistics
            counters.restarts.wrappingAdd(statistics.restartCount, ordering: .relaxed)
            counters.computeNanoseconds.wrappingAdd(statistics.computeNanoseconds, ordering: .relaxed)
            old.pool.retire()
        }
        return old?.model
    }

    /// Notes a refusal and adds to it what goes on serving.
    private func refused(_ error: PackError, _ what: String) -> PackError {
        counters.loadFailures.wrappingAdd(1, ordering: .relaxed)
        let serving = state.withLock { state -> String? in
            if state.current == nil { state.failure = error.message }
            return state.current?.model
        }
        note("\(what) failed", [("reason", error.message), ("serving", serving ?? "nothing")])
        guard let serving else { return error }
        return PackError(error.code, "\(error.message); \(serving) goes on serving")
    }

    private func note(_ message: String, _ fields: [(String, String)]) {
        logger.info(message, [("pack", name)] + fields)
        let text = fields.map { " \($0.0)=\"\($0.1.replacingLineEnds)\"" }.joined()
        events.write(line: "\(WallTime.now.iso8601(fractionDigits: 3)) \(name): \(message)\(text)")
    }
}

extension String {
    /// On one line.
    fileprivate var replacingLineEnds: String { String(map { $0.isNewline ? " " : $0 }) }
}
