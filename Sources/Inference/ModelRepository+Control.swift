import EventLoop
import Log
import Runtimes
import Synchronization

extension ModelRepository {
    /// Loads what the mode asks for. Models that fail are logged and shown in the index; the server goes on.
    package func start() async {
        var names: [String] = []
        do throws(InferenceError) {
            if configuration.mode != .explicit || configuration.startupModels.contains("*") {
                names = try await repositoryNames()
                if names.isEmpty { warnOfEmptyRepository() }
            }
            names += configuration.startupModels.filter { $0 != "*" && !names.contains($0) }
        } catch {
            log.error("the model repository cannot be read", [("error", error.message)])
        }
        for name in names {
            do throws(InferenceError) {
                try await alone { () async throws(InferenceError) in try await loadNow(name, written: nil) }
            } catch {
                log.error("model is not loaded", [("model", name), ("error", error.message)])
            }
        }
        var missing = await restore(loadedModels?.configurations.keys.sorted() ?? [])
        started()
        // The store of the models may be starting too; what still fails after this waits for the next start.
        var delayMilliseconds = 250
        while !missing.isEmpty, delayMilliseconds <= 16_000, !Task.isCancelled {
            try? await Task.sleep(for: .milliseconds(delayMilliseconds))
            delayMilliseconds *= 2
            missing = await restore(missing)
        }
    }

    /// A server without models is no error, but often it is a place that was misspelt or not yet filled.
    private func warnOfEmptyRepository() {
        log.warning(
            "the model repository holds no model: put one at NAME/1/model.onnx or NAME/1/model.savedmodel in it",
            [("repository", configuration.locations.joined(separator: ","))])
    }

    /// Loads again what clients had loaded before the server ended; those that fail are returned and show their reason
    /// in the index.
    private func restore(_ names: [String]) async -> [String] {
        var missing: [String] = []
        for name in names {
            do throws(InferenceError) {
                try await alone { () async throws(InferenceError) in try await restoreNow(name) }
            } catch {
                missing.append(name)
                log.warning("model is not loaded again yet", [("model", name), ("error", error.message)])
            }
        }
        return missing
    }

    private func restoreNow(_ name: String) async throws(InferenceError) {
        // A client may have loaded or unloaded it in the meantime.
        guard let configurationJSON = loadedModels?.configurations[name],
            table.withLock({ $0[name]?.latest }) == nil
        else { return }
        var written: WrittenConfiguration?
        if let configurationJSON {
            written = try ConfigurationReader.read(json: configurationJSON, model: name, limits: configuration.limits)
        }
        do throws(InferenceError) {
            try await loadNow(name, written: written)
        } catch {
            table.withLock { $0[name, default: Entry()].reason = error.message }
            throw error
        }
    }

    /// Loads or reloads a model on a client's wish. Returns when it serves; throws `loadFailed`, and then what was
    /// loaded before goes on serving.
    ///
    /// - Parameter configurationJSON: takes the place of the model's config.pbtxt until the next load.
    package func load(_ name: String, configurationJSON: [UInt8]? = nil) async throws(InferenceError) {
        try checkControl("load")
        var written: WrittenConfiguration?
        if let configurationJSON {
            written = try ConfigurationReader.read(json: configurationJSON, model: name, limits: configuration.limits)
        }
        try await alone { () async throws(InferenceError) in
            try await loadNow(name, written: written)
            try await remember { $0.add(name, configuration: configurationJSON) }
        }
    }

    /// Brings the file of loaded models up to date before a change is acknowledged.
    private func remember(_ change: @escaping @Sendable (LoadedModels) -> Bool) async throws(InferenceError) {
        guard let loadedModels else { return }
        guard (try? await files.run({ change(loadedModels) })) == true else {
            throw InferenceError(
                .unavailable,
                "the change is made and cannot be kept for the next start: the data folder takes no writes")
        }
    }

    /// Unloads a model; requests that run finish. One that is not loaded counts as unloaded.
    package func unload(_ name: String) async throws(InferenceError) {
        try checkControl("unload")
        try await alone { () async throws(InferenceError) in
            let wasKnown = table.withLock { table in
                guard var entry = table[name] else { return false }
                entry.versions = [:]
                entry.latest = nil
                entry.reason = Self.unloaded
                table[name] = entry
                return true
            }
            try await remember { $0.remove(name) }
            if wasKnown { return log.info("model unloaded", [("model", name)]) }
            guard ModelName.isValid(name), try await repositoryNames().contains(name) else {
                throw InferenceError(.notFound, "model \"\(name)\" is not in the repository")
            }
        }
    }

    /// Looks at the repository once: loads what is new or changed, unloads what is gone.
    package func poll() async {
        do throws(InferenceError) {
            let names = try await repositoryNames()
            for name in names {
                let fingerprint = try await fingerprint(name)
                guard table.withLock({ $0[name]?.fingerprint }) != fingerprint else { continue }
                do throws(InferenceError) {
                    try await alone { () async throws(InferenceError) in try await loadNow(name, written: nil) }
                } catch {
                    log.error("model is not loaded", [("model", name), ("error", error.message)])
                }
            }
            let gone = table.withLock { table in table.keys.filter { !names.contains($0) } }
            for name in gone {
                _ = table.withLock { $0.removeValue(forKey: name) }
                log.info("model unloaded: it left the repository", [("model", name)])
            }
        } catch {
            log.warning("the model repository cannot be read", [("error", error.message)])
        }
    }

    /// Polls for ever; returns when the task is cancelled.
    package func pollForEver() async {
        while !Task.isCancelled {
            try? await Task.sleep(for: .seconds(configuration.pollSeconds))
            await poll()
        }
    }

    /// Every model of the repository and every version that is or was loaded, by name.
    package func index(onlyReady: Bool) async throws(InferenceError) -> [ModelIndexEntry] {
        let table = table.withLock { $0 }
        let names = onlyReady ? table.keys.sorted() : Set(try await repositoryNames()).union(table.keys).sorted()
        var lines: [ModelIndexEntry] = []
        for name in names {
            guard let entry = table[name], !entry.known.isEmpty || !entry.reason.isEmpty || entry.isLoading else {
                lines.append(.init(name: name, version: nil, state: nil, reason: ""))
                continue
            }
            if entry.known.isEmpty {
                lines.append(
                    .init(
                        name: name, version: nil, state: entry.isLoading ? .loading : .unavailable, reason: entry.reason
                    ))
            }
            for version in entry.known.sorted() {
                let isReady = entry.versions[version] != nil
                lines.append(
                    .init(
                        name: name, version: version,
                        state: isReady ? .ready : entry.isLoading ? .loading : .unavailable,
                        reason: isReady ? "" : entry.reason))
            }
        }
        return onlyReady ? lines.filter { $0.state == .ready } : lines
    }

    private func checkControl(_ what: String) throws(InferenceError) {
        guard configuration.mode == .explicit else {
            throw InferenceError(
                .unsupported,
                "explicit model \(what) is not allowed: start the server with --model-control-mode explicit")
        }
    }

    // MARK: Sources

    private func repositoryNames() async throws(InferenceError) -> [String] {
        var names: Set<String> = []
        for source in sources { names.formUnion(try await source.names()) }
        return Array(names.sorted().prefix(configuration.limits.modelCountMax))
    }

    private func fingerprint(_ name: String) async throws(InferenceError) -> String? {
        for source in sources {
            if let fingerprint = try await source.fingerprint(name) { return fingerprint }
        }
        return nil
    }

    // MARK: Loading

    /// Loads a model and puts it in the place of what served before; the caller is alone.
    private func loadNow(_ name: String, written: WrittenConfiguration?) async throws(InferenceError) {
        guard ModelName.isValid(name) else {
            throw InferenceError(
                .loadFailed, "failed to load: a model's name is 1 to 255 letters, digits, dots, dashes and underscores")
        }
        // Polling compares with what is loaded; taken first, so that a change during the load is seen by the next look.
        let fingerprint = configuration.mode == .poll ? try await fingerprint(name) : nil
        var folder: ModelFolder?
        for source in sources where folder == nil { folder = try await source.open(name) }
        guard let folder else {
            throw InferenceError(
                .loadFailed,
                "failed to load '\(name)', failed to poll from model repository: it holds no folder of this name")
        }
        table.withLock { $0[name, default: Entry()].isLoading = true }
        let previous = table.withLock { $0[name]?.versions } ?? [:]
        let loader = ModelLoader(
            name: name, folder: folder, runtimes: runtimes, configuration: configuration, compute: compute)
        let result: Result<[ModelVersion], InferenceError>
        do {
            result = try await files.run {
                do throws(InferenceError) {
                    return .success(try loader.load(written: written, previous: previous))
                } catch {
                    return .failure(error)
                }
            }
        } catch {
            result = .failure(InferenceError(.overloaded, "too many repository operations wait; try again later"))
        }
        table.withLock { table in
            var entry = table[name] ?? Entry()
            entry.isLoading = false
            entry.fingerprint = fingerprint
            switch result {
            case .success(let versions):
                entry.versions = Dictionary(uniqueKeysWithValues: versions.map { ($0.number, $0) })
                entry.latest = versions.max { $0.number < $1.number }
                entry.known = versions.map(\.number)
                entry.reason = ""
            case .failure(let error):
                if entry.latest == nil { entry.reason = error.message }
            }
            table[name] = entry
        }
        let versions = try result.get()
        log.info(
            "model loaded",
            [
                ("model", name), ("versions", versions.map { "\($0.number)" }.joined(separator: ",")),
                ("replaced", previous.isEmpty ? "none" : "\(previous.count)"),
            ])
    }
}
