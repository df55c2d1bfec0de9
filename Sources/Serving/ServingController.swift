// Gives every InferenceService a worker, and tells workers what changed. TrainedModels without a service are told so here.

import Bytes
package import Cluster
import EventLoop
import Files
import Formats
import Log

/// What the serving controllers are started with.
package struct ServingSettings: Sendable {
    /// `<data>/cluster/serving`: models of services.
    package var folder: String
    /// The object store of Secrets that name no endpoint.
    package var storeURL: String
    /// False where pods see the machine as it is, and nothing can be mounted.
    package var hasPrivateView: Bool

    package init(folder: String, storeURL: String, hasPrivateView: Bool) {
        self.folder = folder
        self.storeURL = storeURL
        self.hasPrivateView = hasPrivateView
    }
}

/// What workers share.
struct ServingContext: Sendable {
    let store: ResourceStore
    let settings: ServingSettings
    let pool: BlockingPool
    let recorder: EventRecorder
    let log = Logger(role: "cluster")

    var storeURL: String { settings.storeURL }
    var hasPrivateView: Bool { settings.hasPrivateView }

    /// The namespace stands first: a pod may mount only folders of its own.
    func folder(_ service: Resource) -> String {
        "\(settings.folder)/\(service.namespace)_\(service.name)_\(service.uid)"
    }

    func nameSuffix() -> String { Randomness.nameSuffix(5) }

    func record(_ resource: Resource, _ severity: EventRecorder.Severity, _ reason: String, _ message: String) async {
        await recorder.record(resource, severity, reason: reason, message)
    }

    func remove(_ folder: String) async {
        // What cannot be removed now is swept at the next start.
        try? await pool.run { FileTools.removeTree(folder) }
    }

    /// Lets a TrainedModel that is being deleted go.
    func release(_ model: Resource) async throws {
        try await store.update(model.key) { current in
            var object = current.json
            let left = current.finalizers.filter { $0 != ServingNames.finalizer }
            object[path: "metadata", "finalizers"] = left.isEmpty ? nil : .array(left.map(JSON.string))
            return object
        }
    }
}

/// The controllers of KServe's kinds.
package actor ServingController {
    private let context: ServingContext
    private var workers: [String: (worker: PredictorWorker, task: Task<Void, Never>)] = [:]

    package init(store: ResourceStore, settings: ServingSettings) {
        context = ServingContext(
            store: store, settings: settings, pool: BlockingPool(name: "serving", threadCount: 2),
            recorder: EventRecorder(store: store, component: "kserve"))
    }

    /// Works until cancelled.
    package func run() async {
        await sweep()
        let kinds: [ResourceKind] = [.inferenceService, .trainedModel, .pod, .secret, .serviceAccount]
        await ControllerLoop.run("serving", context.store, kinds) { await self.handle($0) }
        for entry in workers.values { entry.task.cancel() }
        for entry in workers.values { entry.worker.changed() }
    }

    private func handle(_ event: ResourceEvent) async {
        let resource = event.resource
        switch resource.kind {
        case .inferenceService:
            see(resource, isGone: event.change == .deleted)
            await retellOrphans(resource)
        case .trainedModel:
            if event.change == .deleted { return wake(service(of: resource)) }
            if service(of: resource) == nil { await orphan(resource) } else { wake(service(of: resource)) }
        case .pod:
            guard let name = resource.labels[ServingNames.serviceLabel] else { return }
            wake(find(name, resource.namespace))
        default:
            // Every change of credentials may mend what failed before.
            for entry in workers.values where entry.worker.key.namespace == resource.namespace {
                await entry.worker.retryFailures()
            }
        }
    }

    private func see(_ service: Resource, isGone: Bool) {
        if let entry = workers[service.uid] {
            entry.worker.changed()
            if isGone { workers[service.uid] = nil }
            return
        }
        guard !isGone, !service.isTerminating else { return }
        let worker = PredictorWorker(service: service, context: context)
        // Detached: it lives as long as the service, not as this call.
        workers[service.uid] = (worker, Task.detached { await worker.run() })
    }

    private func wake(_ service: Resource?) {
        guard let service else { return }
        workers[service.uid]?.worker.changed()
    }

    private func service(of model: Resource) -> Resource? {
        find(model.spec["inferenceService"]?.stringValue ?? "", model.namespace)
    }

    private func find(_ name: String, _ namespace: String) -> Resource? {
        context.store.find(ResourceKey(.inferenceService, namespace: namespace, name: name))
    }

    // MARK: TrainedModels without a service

    private func retellOrphans(_ service: Resource) async {
        for model in context.store.list(.trainedModel, namespace: service.namespace).items
        where model.spec["inferenceService"]?.stringValue == service.name {
            if self.service(of: model) == nil { await orphan(model) } else { wake(self.service(of: model)) }
        }
    }

    private func orphan(_ model: Resource) async {
        if model.isTerminating {
            await ControllerLoop.attempt("serving") { try await self.context.release(model) }
            return
        }
        let name = model.spec["inferenceService"]?.stringValue ?? ""
        let message = "Inference Service \"\(name)\" is not found in namespace \"\(model.namespace)\""
        await ControllerLoop.attempt("serving") {
            try await self.context.store.updateStatus(model.key) { current in
                var status = current.status
                status["observedGeneration"] = current.metadata["generation"]
                var conditions = Conditions(previous: status["conditions"])
                for type in ["InferenceServiceReady", "Ready"] {
                    conditions.set(type, false, reason: "InferenceServiceNotFound", message)
                }
                status["conditions"] = conditions.json
                return status
            }
        }
    }

    /// Removes folders of services that no longer exist: a crash came between the two.
    private func sweep() async {
        let known = Set(context.store.list(.inferenceService).items.map { context.folder($0) })
        let folder = context.settings.folder
        let names = (try? await context.pool.run { FileTools.names(in: folder) }) ?? []
        for name in names where !known.contains("\(folder)/\(name)") { await context.remove("\(folder)/\(name)") }
    }
}
