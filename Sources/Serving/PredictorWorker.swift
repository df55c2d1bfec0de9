// One InferenceService's life: keep a pod of the wanted revision running, fill it with models, let it take over from the
// one before, and write down how all of that stands. Everything needed after a crash is in the objects, the service's
// folder and the inference server itself, so a worker made by a later server goes on where this one stopped.

import Clock
import Cluster
import Formats
import Log

actor PredictorWorker {
    /// A pod that has not ended.
    struct LivePod {
        let pod: Resource
        /// Nil before the pod has an address.
        let client: PredictorClient?
        let revision: String
        var isReady = false
        /// Names of loaded models; nil when the server did not say.
        var loaded: Set<String>?
    }

    /// What stands in the way of a model, and when it is tried again.
    struct Failure {
        var key: String
        var reason: String
        var message: String
        var delayMilliseconds: UInt64
        var retry: MonotonicTime
    }

    let context: ServingContext
    let key: ResourceKey
    let uid: String
    let folders: ModelFolders
    let wakeup = Wakeup()
    var failures: [String: Failure] = [:]
    private var isPrepared = false
    private var timer: MonotonicTime?
    private var podDelayMilliseconds: UInt64 = 100
    private var podRetry: MonotonicTime?
    private var podFault: String?
    /// What was said of Services that could not be made.
    var serviceFaults: [String: String] = [:]

    private static let failureDelayMillisecondsMax: UInt64 = 30_000

    init(service: Resource, context: ServingContext) {
        self.context = context
        key = service.key
        uid = service.uid
        folders = ModelFolders(root: context.folder(service), pool: context.pool)
    }

    /// The object, its models, its pods or its credentials changed; what failed is tried again at once.
    nonisolated func changed() { wakeup.set() }

    /// The credentials may have been mended.
    func retryFailures() {
        for name in failures.keys { failures[name]?.retry = .now }
        wakeup.set()
    }

    /// Works until cancelled or the service is gone.
    func run() async {
        while !Task.isCancelled {
            guard let service = context.store.find(key), service.uid == uid, !service.isTerminating else { break }
            let next: UInt64
            do {
                next = try await reconcile(service)
            } catch is CancellationError {
                return
            } catch {
                context.log.warning("a predictor is tried again", [("service", "\(key)"), ("reason", "\(error)")])
                next = 1000
            }
            wakeUp(afterMilliseconds: next)
            await wakeup.wait()
        }
        if context.store.find(key)?.uid != uid { await context.remove(folders.root) }
    }

    /// One timer is enough: one that fires earlier is followed by another look.
    private func wakeUp(afterMilliseconds milliseconds: UInt64) {
        let due = MonotonicTime.now.advanced(milliseconds: milliseconds)
        if let timer, MonotonicTime.now < timer, timer < due { return }
        timer = due
        wakeup.set(afterMilliseconds: Int(clamping: milliseconds))
    }

    /// Brings the world one step nearer to the objects. Returns milliseconds until it should be looked at again.
    private func reconcile(_ service: Resource) async throws -> UInt64 {
        if !isPrepared {
            try await folders.prepare()
            isPrepared = true
        }
        let plan: PredictorPlan
        do {
            plan = try PredictorPlan(service)
        } catch {
            try await writeStatus(service, ready: nil, latest: nil, fault: error.message)
            return 60_000
        }
        var live = try await livePods(service)
        if !live.contains(where: { $0.revision == plan.revision }), try await makePod(service, plan) {
            live = try await livePods(service)
        }
        for index in live.indices {
            live[index].isReady = await live[index].client?.isReady() ?? false
            live[index].loaded = live[index].isReady ? await live[index].client?.loadedNames() : nil
        }
        let modelsSettled = try await reconcileModels(service, plan, &live)
        let wanted = live.first { $0.revision == plan.revision }
        var ready = wanted.flatMap { $0.isReady && modelsSettled ? $0 : nil }
        if let next = ready {
            podDelayMilliseconds = 100
            podFault = nil
            // Before the one before goes: both serve for a moment, and no connection finds nobody.
            guard try await expose(service, next.pod) else { return 10 }
            for old in live where old.revision != plan.revision { try await delete(old.pod) }
        } else {
            // The one before goes on serving until the new one can.
            ready = live.first { $0.isReady && $0.pod.name == currentRevision(service) } ?? live.first { $0.isReady }
        }
        try await writeStatus(service, ready: ready?.pod, latest: wanted?.pod, fault: ready == nil ? podFault : nil)
        if wanted?.isReady != true { return 50 }
        let soonest = failures.values.map(\.retry).min()
        let now = MonotonicTime.now
        return min(5000, soonest.map { $0 < now ? 50 : ($0.nanoseconds - now.nanoseconds) / 1_000_000 + 1 } ?? 5000)
    }

    private func currentRevision(_ service: Resource) -> String? {
        service.json[path: "status", "components", "predictor", "latestReadyRevision"]?.stringValue
    }

    // MARK: Pods

    /// Pods of the service that may serve; those that ended are noted and removed.
    private func livePods(_ service: Resource) async throws -> [LivePod] {
        var live: [LivePod] = []
        for pod in context.store.dependents(of: uid) where pod.kind == .pod && !pod.isTerminating {
            let phase = pod.status["phase"]?.stringValue ?? "Pending"
            if phase == "Succeeded" || phase == "Failed" {
                await note(ended: pod, service)
                continue
            }
            if let waiting = Self.waitingReason(pod) { podFault = waiting }
            live.append(
                LivePod(
                    pod: pod, client: ServingNames.origin(of: pod).map { PredictorClient(origin: $0) },
                    revision: pod.annotations[ServingNames.revisionAnnotation] ?? ""))
        }
        return live.sorted { $0.pod.version < $1.pod.version }
    }

    /// Why a container of a pod does not start, such as an image that is not known.
    private static func waitingReason(_ pod: Resource) -> String? {
        for container in pod.status["containerStatuses"]?.arrayValue ?? [] {
            if let message = container[path: "state", "waiting", "message"]?.stringValue, !message.isEmpty {
                return message
            }
        }
        return nil
    }

    private func note(ended pod: Resource, _ service: Resource) async {
        let state = pod.status["containerStatuses"]?.arrayValue?.first?[path: "state", "terminated"]
        let code = state?["exitCode"]?.intValue
        var fault = pod.status["message"]?.stringValue ?? "the inference server ended"
        if let code {
            let reason = state?["message"]?.stringValue ?? ""
            fault =
                "the inference server ended with code \(code)\(reason.isEmpty ? "" : " (\(reason))"); it is started again"
        }
        podFault = fault
        await context.record(service, .warning, "PredictorEnded", "pod \(pod.name): \(fault)")
        podRetry = MonotonicTime.now.advanced(milliseconds: podDelayMilliseconds)
        podDelayMilliseconds = min(podDelayMilliseconds * 2, 10_000)
        await ControllerLoop.attempt("serving") { try await self.context.store.delete(pod.key) }
    }

    private func makePod(_ service: Resource, _ plan: PredictorPlan) async throws -> Bool {
        if let podRetry, MonotonicTime.now < podRetry { return false }
        guard let ports = PredictorPorts.choose() else {
            podFault = "no port of this machine is free"
            return false
        }
        let generation = service.metadata["generation"]?.intValue ?? 1
        let number = String(generation)
        let padded = String(repeating: "0", count: max(0, 5 - number.count)) + number
        let pod = plan.pod(
            suffix: "\(padded)-\(context.nameSuffix())", ports: ports, repository: folders.models,
            hasPrivateView: context.hasPrivateView)
        do {
            let made = try await context.store.create(.pod, namespace: service.namespace, pod)
            await context.record(service, .normal, "Created", "Created pod \(made.name)")
            return true
        } catch let error as ClusterError {
            podFault = error.message
            podRetry = MonotonicTime.now.advanced(milliseconds: 5000)
            return false
        }
    }

    private func delete(_ pod: Resource) async throws {
        await ControllerLoop.attempt("serving") { try await self.context.store.delete(pod.key) }
    }

    // MARK: Failures

    func fail(_ name: String, _ key: String, _ reason: String, _ message: String, _ owner: Resource) async {
        let before = failures[name].flatMap { $0.key == key ? $0 : nil }
        let delay = min((before?.delayMilliseconds ?? 500) * 2, Self.failureDelayMillisecondsMax)
        failures[name] = Failure(
            key: key, reason: reason, message: message, delayMilliseconds: delay,
            retry: MonotonicTime.now.advanced(milliseconds: delay))
        if before?.message != message { await context.record(owner, .warning, reason, message) }
    }

    // MARK: Status

    private func writeStatus(_ service: Resource, ready: Resource?, latest: Resource?, fault: String?) async throws {
        var reason = "PredictorNotReady"
        var message = fault ?? "the inference server is starting"
        if ready != nil, let own = failures[service.name], isOwnModel(service) {
            reason = own.reason
            message = own.message
        }
        let serves = ready != nil && !(isOwnModel(service) && failures[service.name] != nil)
        let host = "\(service.name).\(service.namespace)"
        try await context.store.updateStatus(key) { current in
            var status = current.status
            status["observedGeneration"] = current.metadata["generation"]
            var conditions = Conditions(previous: status["conditions"])
            for type in ["IngressReady", "PredictorReady", "Ready"] {
                conditions.set(type, serves, reason: serves ? "" : reason, serves ? "" : message)
            }
            status["conditions"] = conditions.json
            var component = status[path: "components", "predictor"] ?? [:]
            if let latest { component["latestCreatedRevision"] = .string(latest.name) }
            if let ready {
                component["latestReadyRevision"] = .string(ready.name)
                component["latestRolledoutRevision"] = .string(ready.name)
                component["url"] = .string(
                    "http://\(service.name)-predictor-default.\(service.namespace).\(ServingNames.domain)")
                status["url"] = .string("http://\(host).\(ServingNames.domain)")
                status["address"] = ["url": .string("http://\(host).svc.cluster.local")]
            }
            status["components"] = ["predictor": component]
            status["deploymentMode"] = "RawDeployment"
            return status
        }
    }

    private func isOwnModel(_ service: Resource) -> Bool {
        (try? PredictorPlan(service))?.storageURI != nil
    }
}
