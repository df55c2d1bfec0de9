// The models of one service: TrainedModels, or the one that the service names itself. Each is fetched once for each
// generation of its object and loaded into every ready server of the service; the server swaps it in between two requests.

import Clock
import Cluster
import Formats
import Log

/// One model that shall be loaded.
struct WantedModel {
    let name: String
    let uri: String
    /// The object that asks for it.
    let owner: Resource

    /// Changes when the model has to be fetched again.
    var key: String { "\(owner.uid)/\(owner.metadata["generation"]?.intValue ?? 1)/\(uri)" }
}

extension PredictorWorker {
    /// Loads and unloads models. True when every model that can be loaded is loaded in the newest ready server.
    func reconcileModels(_ service: Resource, _ plan: PredictorPlan, _ live: inout [LivePod]) async throws -> Bool {
        var wanted: [WantedModel] = []
        if let uri = plan.storageURI { wanted.append(WantedModel(name: service.name, uri: uri, owner: service)) }
        let models = context.store.list(.trainedModel, namespace: service.namespace).items.filter {
            $0.spec["inferenceService"]?.stringValue == service.name
        }
        var fitting = MemoryBudget(limit: plan.memoryBytes)
        for model in models.sorted(by: MemoryBudget.comesBefore) {
            if model.isTerminating {
                try await remove(model, live)
                continue
            }
            try await adopt(model, service)
            let checks = TrainedModelChecks(model, plan: plan, service: service, memory: &fitting)
            if checks.areMet {
                wanted.append(
                    WantedModel(
                        name: model.name, uri: model.spec[path: "model", "storageUri"]?.stringValue ?? "", owner: model)
                )
            } else {
                await unload(model.name, live)
                await folders.remove(model.name)
                failures[model.name] = nil
            }
        }
        await removeUnwanted(wanted.map(\.name), live)
        var isSettled = true
        for model in wanted {
            let isLoaded = await bring(model, service, plan, &live)
            if !isLoaded, failures[model.name] == nil { isSettled = false }
        }
        fitting = MemoryBudget(limit: plan.memoryBytes)
        for model in models.sorted(by: MemoryBudget.comesBefore) where !model.isTerminating {
            let checks = TrainedModelChecks(model, plan: plan, service: service, memory: &fitting)
            try await writeStatus(model, service, checks, live)
        }
        return isSettled
    }

    /// The service becomes the owner, so that its models go with it; the finalizer lets them be unloaded first.
    private func adopt(_ model: Resource, _ service: Resource) async throws {
        guard !model.finalizers.contains(ServingNames.finalizer) || !model.ownerUIDs.contains(service.uid) else {
            return
        }
        try await context.store.update(model.key) { current in
            var object = current.json
            var finalizers = current.finalizers
            if !finalizers.contains(ServingNames.finalizer) { finalizers.append(ServingNames.finalizer) }
            object[path: "metadata", "finalizers"] = .array(finalizers.map(JSON.string))
            object[path: "metadata", "ownerReferences"] = [service.ownerReference]
            return object
        }
    }

    private func remove(_ model: Resource, _ live: [LivePod]) async throws {
        guard model.finalizers.contains(ServingNames.finalizer) else { return }
        await unload(model.name, live)
        await folders.remove(model.name)
        failures[model.name] = nil
        try await context.release(model)
        context.log.info("model unloaded", [("model", model.name), ("service", "\(key)")])
    }

    /// Models of objects that went while nobody looked.
    private func removeUnwanted(_ names: [String], _ live: [LivePod]) async {
        for name in await folders.names() where !names.contains(name) {
            await unload(name, live)
            await folders.remove(name)
        }
    }

    private func unload(_ name: String, _ live: [LivePod]) async {
        for pod in live where pod.loaded?.contains(name) == true { _ = await pod.client?.unload(name) }
    }

    /// Fetches and loads one model where that is needed. True when every ready server has it.
    private func bring(
        _ model: WantedModel, _ service: Resource, _ plan: PredictorPlan, _ live: inout [LivePod]
    ) async -> Bool {
        if let failure = failures[model.name], failure.key == model.key, MonotonicTime.now < failure.retry {
            return false
        }
        let ready = live.indices.filter { live[$0].isReady && live[$0].loaded != nil }
        // Nothing is fetched for a server that may never come: its own trouble is what a person has to see.
        guard !ready.isEmpty else { return false }
        let record = await folders.record(model.name)
        let isFetched = record?.key == model.key
        if isFetched, record?.isLoaded == true {
            var all = true
            for index in ready where live[index].loaded?.contains(model.name) != true {
                all = await load(model, into: &live[index]) && all
            }
            if all { failures[model.name] = nil }
            return all
        }
        do {
            if !isFetched {
                let endpoint = try StorageCredentials.endpoint(
                    account: plan.serviceAccount, namespace: service.namespace, store: context.store,
                    standard: context.storeURL)
                try await folders.fetch(model.uri, as: model.name, from: endpoint)
                try await folders.write(ModelRecord(key: model.key, isLoaded: false), model.name)
            }
        } catch let fault as StorageFault {
            await fail(model.name, model.key, "StorageError", fault.message, model.owner)
            return false
        } catch {
            await fail(model.name, model.key, "StorageError", "the model cannot be copied: \(error)", model.owner)
            return false
        }
        var isLoaded = true
        for index in ready { isLoaded = await load(model, into: &live[index]) && isLoaded }
        guard isLoaded else {
            // A server that went away is no fault of the model's: the next look loads it.
            guard failures[model.name]?.key == model.key else { return false }
            await folders.settle(model.name, keepsNew: false)
            if let record, record.key != model.key, record.isLoaded {
                try? await folders.write(record, model.name)
            } else {
                await folders.remove(model.name)
            }
            return false
        }
        await folders.settle(model.name, keepsNew: true)
        try? await folders.write(ModelRecord(key: model.key, isLoaded: true), model.name)
        failures[model.name] = nil
        await context.record(model.owner, .normal, "Loaded", "Loaded \(model.uri) as \(model.name)")
        context.log.info("model loaded", [("model", model.name), ("service", "\(key)"), ("from", model.uri)])
        return true
    }

    private func load(_ model: WantedModel, into pod: inout LivePod) async -> Bool {
        switch await pod.client?.load(model.name) ?? .unreachable {
        case .done:
            pod.loaded?.insert(model.name)
            return true
        case .refused(let reason):
            await fail(model.name, model.key, "ModelLoadFailed", reason, model.owner)
            return false
        case .unreachable:
            pod.isReady = false
            return false
        }
    }

    // MARK: Status

    private func writeStatus(
        _ model: Resource, _ service: Resource, _ checks: TrainedModelChecks, _ live: [LivePod]
    ) async throws {
        let record = await folders.record(model.name)
        let wanted = WantedModel(
            name: model.name, uri: model.spec[path: "model", "storageUri"]?.stringValue ?? "", owner: model)
        let ready = live.filter(\.isReady)
        let isServed = !ready.isEmpty && ready.allSatisfy { $0.loaded?.contains(model.name) == true }
        let isCurrent = isServed && record == ModelRecord(key: wanted.key, isLoaded: true)
        let failure = failures[model.name].flatMap { $0.key == wanted.key ? $0 : nil }
        let host = "\(service.name).\(service.namespace)"
        let path =
            service.spec[path: "predictor", "tensorflow"] == nil
            ? "/v2/models/\(model.name)/infer" : "/v1/models/\(model.name):predict"
        try await context.store.updateStatus(model.key) { current in
            var status = current.status
            status["observedGeneration"] = current.metadata["generation"]
            var conditions = Conditions(previous: status["conditions"])
            checks.write(&conditions)
            conditions.set(
                "InferenceServiceReady", !ready.isEmpty, reason: ready.isEmpty ? "InferenceServiceNotReady" : "",
                ready.isEmpty ? "Inference Service \"\(service.name)\" is not ready" : "")
            if checks.areMet, isCurrent {
                conditions.set("Ready", true)
            } else if let failure {
                let suffix = isServed ? "; the model that was loaded before goes on serving" : ""
                conditions.set("Ready", false, reason: failure.reason, failure.message + suffix)
            } else if let (reason, message) = checks.fault {
                conditions.set("Ready", false, reason: reason, message)
            } else {
                conditions.set("Ready", false, reason: "Loading", "the model is being loaded")
            }
            status["conditions"] = conditions.json
            if isServed {
                status["url"] = .string("http://\(host).\(ServingNames.domain)\(path)")
                status["address"] = ["url": .string("http://\(host).svc.cluster.local\(path)")]
            }
            return status
        }
    }
}
