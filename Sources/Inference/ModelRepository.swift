// The models that are served: which there are, which are loaded, and how one is replaced. Looking a model up costs one
// short lock; loads and unloads go one after the other, and the old versions serve until the new ones are ready.

package import EventLoop
import Log
package import ObjectClient
package import Runtimes
import Synchronization

/// How models come and go.
package enum ModelControlMode: String, Sendable, CaseIterable {
    /// All are loaded at start; nothing changes afterwards.
    case none
    /// Clients load and unload.
    case explicit
    /// All are loaded at start, and the repository is looked at again and again.
    case poll
}

/// What a repository is opened with.
package struct RepositoryConfiguration: Sendable {
    /// Folders, or `s3://bucket/prefix` locations; the first that holds a model counts.
    package var locations: [String] = []
    package var mode = ModelControlMode.none
    /// Models to load at start in explicit mode; `*` stands for all.
    package var startupModels: [String] = []
    package var pollSeconds = 15
    /// `max_batch_size` of models that can batch and do not say; 0 turns that off.
    package var batchSizeDefault = 64
    /// Instances of models whose configuration has no `instance_group`.
    package var instanceCountDefault = 1
    /// True makes the server ready only when every model that was asked for is.
    package var isReadinessStrict = true
    /// Where models from an object store are copied while they are loaded.
    package var cacheFolder = "slipway-data/infer/cache"
    /// Explicit mode: the file that remembers what clients loaded, for the next start; nil forgets it.
    package var loadedModelsFile: String?
    /// The object store of `s3://` locations that do not name their own.
    package var objectEndpoint: ObjectEndpoint?
    package var limits = InferenceLimits()

    package init() {}
}

/// One line of the repository's index.
package struct ModelIndexEntry: Sendable, Equatable {
    package enum State: String, Sendable {
        case ready = "READY"
        case unavailable = "UNAVAILABLE"
        case loading = "LOADING"
    }

    package let name: String
    /// Nil for a model that was never loaded.
    package let version: Int?
    package let state: State?
    package let reason: String
}

/// The models of one server.
package final class ModelRepository: Sendable {
    /// What is known of a model that was ever asked for.
    struct Entry {
        /// By number; empty when none is loaded.
        var versions: [Int: ModelVersion] = [:]
        var latest: ModelVersion?
        /// Why nothing is loaded.
        var reason = ""
        /// The versions that were loaded last, for the index.
        var known: [Int] = []
        var isLoading = false
        var fingerprint: String?
    }

    let configuration: RepositoryConfiguration
    let sources: [any ModelSource]
    let runtimes: ModelRuntimes
    let compute: BlockingPool
    let files: BlockingPool
    let table = Mutex<[String: Entry]>([:])
    let log = Logger(role: "infer")
    let loadedModels: LoadedModels?
    private let control: TurnLock
    private let hasStarted = Mutex(false)

    /// - Parameter compute: the threads that models run on, shared by all.
    ///
    /// Throws `InferenceError.invalid` for a location that cannot be understood.
    package init(
        configuration: RepositoryConfiguration, runtimes: ModelRuntimes, compute: BlockingPool
    ) throws(InferenceError) {
        self.configuration = configuration
        self.runtimes = runtimes
        self.compute = compute
        files = BlockingPool(name: "models", threadCount: 2)
        loadedModels = configuration.mode == .explicit ? configuration.loadedModelsFile.map(LoadedModels.init) : nil
        control = TurnLock(waitersMax: configuration.limits.controlQueueCountMax)
        var sources: [any ModelSource] = []
        for location in configuration.locations { sources.append(try Self.source(location, configuration, files)) }
        self.sources = sources
    }

    private static func source(
        _ text: String, _ configuration: RepositoryConfiguration, _ files: BlockingPool
    ) throws(InferenceError) -> any ModelSource {
        guard text.hasPrefix("s3://") else {
            guard !text.contains("://") else {
                throw InferenceError(
                    .invalid, "model repository \"\(text)\": only folders and s3:// locations are supported")
            }
            return FolderSource(
                path: text.count > 1 && text.hasSuffix("/") ? String(text.dropLast()) : text, pool: files)
        }
        guard let location = ObjectLocation(text) else {
            throw InferenceError(.invalid, "model repository \"\(text)\" names no bucket: write s3://bucket/prefix")
        }
        let shared = configuration.objectEndpoint
        guard let url = location.endpoint ?? shared?.url else {
            throw InferenceError(
                .invalid,
                "model repository \"\(text)\" names no endpoint: set AWS_ENDPOINT_URL or write s3://http://host:port/bucket"
            )
        }
        let endpoint = ObjectEndpoint(url: url, region: shared?.region ?? "us-east-1", credential: shared?.credential)
        var prefix = location.key
        while prefix.hasSuffix("/") { prefix.removeLast() }
        return ObjectSource(
            client: ObjectClient(endpoint: endpoint), bucket: location.bucket,
            prefix: prefix.isEmpty ? "" : prefix + "/",
            cacheFolder: configuration.cacheFolder, pool: files, limits: configuration.limits)
    }

    // MARK: Requests

    /// The version of a model to run: `version`, or the highest loaded. Throws `notFound`, or `unavailable` when the
    /// model is known and not loaded.
    package func model(_ name: String, version: Int? = nil) throws(InferenceError) -> ModelVersion {
        let entry = table.withLock { $0[name] }
        guard let entry, let latest = entry.latest else {
            let reason =
                entry.map { $0.reason.isEmpty ? "it is not loaded" : $0.reason } ?? "load it first, or check its name"
            throw InferenceError(.notFound, "model \"\(name)\" is not found among the loaded models: \(reason)")
        }
        guard let version else { return latest }
        guard let found = entry.versions[version] else {
            throw InferenceError(.notFound, "model \"\(name)\" has no loaded version \(version); \(Self.list(entry))")
        }
        return found
    }

    /// The loaded versions of a model, lowest first.
    package func versions(_ name: String) throws(InferenceError) -> [ModelVersion] {
        _ = try model(name)
        return (table.withLock { $0[name] }?.versions ?? [:]).values.sorted { $0.number < $1.number }
    }

    /// Every loaded version, by name and number.
    package var loaded: [ModelVersion] {
        table.withLock { $0.values.flatMap(\.versions.values) }.sorted {
            ($0.configuration.name, $0.number) < ($1.configuration.name, $1.number)
        }
    }

    /// True when the first loads are done and, where readiness is strict, every model that was asked for is loaded.
    package var isReady: Bool {
        guard hasStarted.withLock({ $0 }) else { return false }
        guard configuration.isReadinessStrict, configuration.mode != .explicit else { return true }
        return table.withLock { $0.values.allSatisfy { $0.latest != nil || $0.reason == Self.unloaded } }
    }

    static let unloaded = "unloaded"

    private static func list(_ entry: Entry) -> String {
        "loaded: \(entry.versions.keys.sorted().map(String.init).joined(separator: ", "))"
    }

    /// Runs `body` alone among the operations that change what is loaded.
    func alone<Value: Sendable>(_ body: () async throws(InferenceError) -> Value) async throws(InferenceError) -> Value
    {
        guard await control.enter() else {
            throw InferenceError(.overloaded, "too many loads and unloads wait already; try again later")
        }
        defer { control.leave() }
        return try await body()
    }

    func started() { hasStarted.withLock { $0 = true } }
}

/// Lets one task in at a time, in the order they came; a bounded number may wait.
final class TurnLock: Sendable {
    private struct State {
        var isHeld = false
        var waiters: [UnsafeContinuation<Void, Never>] = []
    }

    private let state = Mutex(State())
    private let waitersMax: Int

    init(waitersMax: Int) { self.waitersMax = waitersMax }

    /// False at once when too many wait already.
    func enter() async -> Bool {
        let isFull = state.withLock { $0.isHeld && $0.waiters.count >= waitersMax }
        if isFull { return false }
        await withUnsafeContinuation { (continuation: UnsafeContinuation<Void, Never>) in
            let isMine = state.withLock { state in
                if !state.isHeld {
                    state.isHeld = true
                    return true
                }
                state.waiters.append(continuation)
                return false
            }
            if isMine { continuation.resume() }
        }
        return true
    }

    func leave() {
        let next = state.withLock { state -> UnsafeContinuation<Void, Never>? in
            if state.waiters.isEmpty {
                state.isHeld = false
                return nil
            }
            return state.waiters.removeFirst()
        }
        next?.resume()
    }
}
