// One workflow's life: applies what happened to its pods, advances the workflow, does what that asks for, and stores the
// status. What happened meanwhile is taken together, so the cost of an advance does not grow with the number of events.

import Clock
import Formats
import Log

actor WorkflowWorker {
    private var workflow: Resource
    private let context: PodContext
    private let wakeup = Wakeup()
    private let logger = Logger(role: "cluster")
    private var pods: [String: (pod: Resource, isDeleted: Bool)] = [:]
    private var isCancelled = false
    private var resourceSteps: [Task<Void, Never>] = []
    private var resourceResults: [(nodeID: String, result: WorkflowRun.PodResult)] = []
    private var nextStore = WallTime(nanoseconds: 0)

    init(workflow: Resource, context: PodContext) {
        self.workflow = workflow
        self.context = context
    }

    // MARK: What the controller says

    func podChanged(_ pod: Resource, isDeleted: Bool) {
        pods[pod.name] = (pod, isDeleted)
        wakeup.set()
    }

    /// The object changed: a person may have asked to stop, suspend or resume it.
    func changed(_ resource: Resource) {
        let isNews = resource.spec != workflow.spec || resource.isTerminating
        workflow = resource
        if isNews { wakeup.set() }
    }

    func cancel() {
        isCancelled = true
        wakeup.set()
    }

    private func resourceEnded(_ nodeID: String, _ result: WorkflowRun.PodResult) {
        resourceResults.append((nodeID, result))
        wakeup.set()
    }

    private func startResourceStep(_ nodeID: String, _ request: ResourceRequest) {
        let step = ResourceStep(store: context.store, workflow: workflow, nodeID: nodeID, request: request)
        // Detached: it waits for its object; it ends with this worker.
        resourceSteps.append(Task.detached { await self.resourceEnded(nodeID, await step.run()) })
    }

    static func artifactFolder(_ workflow: Resource) -> String {
        "\(workflow.namespace)_\(workflow.name)_\(workflow.uid)"
    }

    // MARK: Life

    func run() async {
        let store = context.store
        let namespace = workflow.namespace
        var run = WorkflowRun(workflow: workflow, now: .now) { map, key in
            store.find(ResourceKey(.configMap, namespace: namespace, name: map))?.dataValue(key).map {
                String(decoding: $0, as: UTF8.self)
            }
        }
        if run.phase == nil {
            note(.normal, "WorkflowRunning", "Workflow Running")
        }
        defer { for step in resourceSteps { step.cancel() } }
        // First without news: it works out again what each pod is for.
        var actions = run.advance(at: .now)
        while !isCancelled, !workflow.isTerminating {
            await perform(actions, &run)
            if run.isDone, run.activePods.isEmpty { break }
            await wakeup.wait()
            if isCancelled { return }
            run.shutdown = workflow.spec["shutdown"]?.stringValue
            run.isSuspended = workflow.spec["suspend"]?.boolValue ?? false
            let news = pods
            pods = [:]
            for (pod, isDeleted) in news.values { await apply(pod, isDeleted, to: &run) }
            let results = resourceResults
            resourceResults = []
            for (nodeID, result) in results { run.podEnded(nodeID, result) }
            actions = run.advance(at: .now)
        }
        guard !isCancelled, run.isDone else { return }
        let isGood = run.phase == .succeeded
        note(
            isGood ? .normal : .warning, isGood ? "WorkflowSucceeded" : "WorkflowFailed",
            run.message.isEmpty ? "Workflow completed" : run.message)
    }

    private func note(_ severity: EventRecorder.Severity, _ reason: String, _ message: String) {
        let recorder = EventRecorder(store: context.store, component: "workflow-controller")
        let subject = workflow
        // Detached: a remark holds nothing up.
        Task.detached { await recorder.record(subject, severity, reason: reason, message) }
    }

    // MARK: Doing

    private func perform(_ actions: [WorkflowRun.Action], _ run: inout WorkflowRun) async {
        var creations: [(name: String, manifest: JSON)] = []
        for action in actions {
            switch action {
            case .createPod(let name, let manifest): creations.append((name, manifest))
            case .stopPod(let name): await stop(name)
            case .createClaim(let claim): await createClaim(claim)
            case .manageResource(let nodeID, let request): startResourceStep(nodeID, request)
            case .wake(let time):
                wakeup.set(afterMilliseconds: Int(max(0, time.nanoseconds - WallTime.now.nanoseconds) / 1_000_000) + 1)
            }
        }
        // Side by side: pods and status share one commit, and it does not matter which of them a crash keeps.
        async let stored: Void = storeStatus(run)
        let failures = await create(creations)
        await stored
        for (id, message) in failures {
            let result = WorkflowRun.PodResult(phase: .error, message: message, started: .now, finished: .now)
            run.podEnded(id, result)
            wakeup.set()
        }
    }

    private func create(_ creations: [(name: String, manifest: JSON)]) async -> [(nodeID: String, message: String)] {
        let store = context.store
        let namespace = workflow.namespace
        return await withTaskGroup(of: (nodeID: String, message: String)?.self) { group in
            for (name, manifest) in creations {
                group.addTask {
                    if store.find(ResourceKey(.pod, namespace: namespace, name: name)) != nil { return nil }
                    do {
                        try await store.create(.pod, namespace: namespace, manifest)
                        return nil
                    } catch let error as ClusterError where error.code == .alreadyExists {
                        return nil
                    } catch {
                        let id = manifest["metadata"]?["annotations"]?[WorkflowLabels.nodeID]?.stringValue ?? ""
                        let message = (error as? ClusterError)?.message ?? "\(error)"
                        return (id, "pod \"\(name)\" could not be created: \(message)")
                    }
                }
            }
            var failures: [(nodeID: String, message: String)] = []
            for await failure in group { if let failure { failures.append(failure) } }
            return failures
        }
    }

    private func createClaim(_ claim: JSON) async {
        do {
            try await context.store.create(.persistentVolumeClaim, namespace: workflow.namespace, claim)
        } catch let error as ClusterError where error.code == .alreadyExists {
            // Made before a restart.
        } catch {
            note(.warning, "VolumeClaimFailed", "\(error)")
        }
    }

    private func stop(_ pod: String) async {
        let key = ResourceKey(.pod, namespace: workflow.namespace, name: pod)
        // One that is gone needs no stopping.
        _ = try? await context.store.update(key) { current in
            var object = current.json
            object[path: "metadata", "annotations", PodAnnotations.stop] = "true"
            return object
        }
    }

    /// Stores the status. That of a large workflow is stored less often while it runs: after a crash the pods tell the rest.
    private func storeStatus(_ run: WorkflowRun) async {
        let now = WallTime.now
        if !run.isDone, run.nodes.count > 100, now < nextStore {
            wakeup.set(afterMilliseconds: Int((nextStore.nanoseconds - now.nanoseconds) / 1_000_000) + 1)
            return
        }
        nextStore = WallTime(milliseconds: now.milliseconds + Int64(min(1000, run.nodes.count / 2)))
        let status = run.status()
        let phase = run.phase?.rawValue ?? ""
        while !isCancelled {
            do {
                try await context.store.update(workflow.key) { current in
                    var object = current.json
                    object["status"] = status
                    object[path: "metadata", "labels", WorkflowLabels.phase] = .string(phase)
                    object[path: "metadata", "labels", WorkflowLabels.completed] = .string(
                        run.isDone ? "true" : "false")
                    return object
                }
                return
            } catch let error as ClusterError where error.code == .unavailable {
                // The disk may be full for a while. The status is still owed.
                try? await Task.sleep(nanoseconds: 500_000_000)
            } catch {
                // Gone, or replaced meanwhile: the controller will say so.
                logger.debug("status not stored", [("workflow", workflow.name), ("reason", "\(error)")])
                return
            }
        }
    }

    // MARK: Pods

    private func apply(_ pod: Resource, _ isDeleted: Bool, to run: inout WorkflowRun) async {
        let id = pod.annotations[WorkflowLabels.nodeID] ?? ""
        guard let node = run.nodes[id], !node.isDone else { return }
        let phase = pod.status["phase"]?.stringValue ?? "Pending"
        switch phase {
        case "Succeeded", "Failed":
            run.podEnded(id, await result(of: pod))
        default:
            if isDeleted {
                run.podEnded(
                    id, .init(phase: .error, message: "pod deleted", started: node.started, finished: .now))
            } else if phase == "Running" {
                run.podStarted(id)
            } else {
                run.podWaits(id, Self.waitingReason(pod))
            }
        }
    }

    private static func waitingReason(_ pod: Resource) -> String {
        for condition in pod.status["conditions"]?.arrayValue ?? []
        where condition["type"]?.stringValue == "PodScheduled" && condition["status"]?.stringValue == "False" {
            return "Unschedulable: \(condition["message"]?.stringValue ?? "")"
        }
        for container in pod.status["containerStatuses"]?.arrayValue ?? [] {
            if let waiting = container["state"]?["waiting"], let message = waiting["message"]?.stringValue {
                return "\(waiting["reason"]?.stringValue ?? ""): \(message)"
            }
        }
        return ""
    }

    private func result(of pod: Resource) async -> WorkflowRun.PodResult {
        let main = (pod.status["containerStatuses"]?.arrayValue ?? []).first { $0["name"]?.stringValue == "main" }
        let ended = main?["state"]?["terminated"]
        func time(_ key: String) -> WallTime? { ended?[key]?.stringValue.flatMap { WallTime(iso8601: $0) } }
        var result = WorkflowRun.PodResult(
            phase: pod.status["phase"]?.stringValue == "Succeeded" ? .succeeded : .failed,
            started: time("startedAt") ?? .now, finished: time("finishedAt") ?? .now)
        result.exitCode = ended?["exitCode"]?.intValue.map { Int(clamping: $0) }
        if result.phase == .failed { Self.explain(&result, pod, ended) }
        let attempt = Int(clamping: main?["restartCount"]?.intValue ?? 0)
        let folder = context.settings().folders.container(pod, "main", attempt: attempt)
        let artifacts = context.settings().folders.artifacts
        let base = "\(Self.artifactFolder(workflow))/\(pod.name)"
        let declared = PodPlan.array(pod.annotations[PodAnnotations.collect])
        let kept = try? await context.files.run {
            try PodOutputFiles.take(folder: folder, declared: declared, artifacts: artifacts, base: base)
        }
        result.result = kept?.result
        result.collected = kept?.collected ?? []
        return result
    }

    private static func explain(_ result: inout WorkflowRun.PodResult, _ pod: Resource, _ ended: JSON?) {
        let message = pod.status["message"]?.stringValue ?? ""
        switch pod.status["reason"]?.stringValue {
        case "Terminated":
            result.phase = .error
            result.message = message
        case .some(let reason) where !message.isEmpty && reason != "DeadlineExceeded":
            result.phase = .error
            result.message = "\(reason): \(message)"
        case .some: result.message = message
        case nil:
            guard let ended else {
                result.message = message.isEmpty ? "the pod failed before its main container started" : message
                return
            }
            let reason = ended["reason"]?.stringValue ?? "Error"
            result.message = "main: \(reason) (exit code \(ended["exitCode"]?.intValue ?? -1))"
            if let detail = ended["message"]?.stringValue, !detail.isEmpty { result.message += ": \(detail)" }
            if reason == "ContainerStatusUnknown" { result.phase = .error }
        }
    }
}
