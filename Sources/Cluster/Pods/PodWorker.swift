// One pod's life: wait for what it needs, run its init containers one by one, then its containers together, restart or
// not, and say how it ended. Everything it must know after a crash is in the pod object and the pod's folder, so a worker
// made by a later server goes on where this one stopped.

import Clock
import Formats
import Images
import Log
import Runner

/// What workers share.
struct PodContext: Sendable {
    let store: ResourceStore
    let runner: StepRunner
    let files: FilePool
    let settings: @Sendable () -> PodSettings
    let images: ImageStore
    /// Reads the image table's file again if it changed. Blocks.
    let reloadImages: @Sendable () -> Void
    /// Addresses and names; nil where pods have the host's alone.
    var network: (addresses: ClusterNetwork, names: HostNames, hostPorts: HostPorts)?
}

actor PodWorker {
    /// Why and how fast the pod's processes are to end.
    struct Stop: Sendable {
        enum Cause: Sendable { case deletion, removal, deadline, request, shutdown }
        var cause: Cause
        var gracePeriodMilliseconds: Int
    }

    private(set) var pod: Resource
    let context: PodContext
    let wakeup = Wakeup()
    var status: PodStatus
    private var processes: [String: StepProcess] = [:]
    private var restarts: [String: Wakeup] = [:]
    private(set) var stopping: Stop?
    private var isUnpublished = false
    private var publishing: Task<Void, Never>?
    private(set) var lastFault: PodFault?
    private var saidScheduled = false
    /// Why the last pull failed, how long that is taken for granted, and how long it will be the next time.
    var pullFault: (fault: PodFault, until: MonotonicTime)?
    var pullPauseMilliseconds = 1000
    /// Images that were pulled for this pod and said so.
    var pulledNow: Set<String> = []

    init(pod: Resource, context: PodContext) {
        self.pod = pod
        self.context = context
        status = PodStatus(spec: pod.spec)
    }

    // MARK: What the controller says

    /// The object changed, or something it may wait for did.
    func changed(_ resource: Resource?) {
        if let resource {
            pod = resource
            if resource.isTerminating {
                let seconds = resource.metadata["deletionGracePeriodSeconds"]?.intValue ?? 30
                stop(Stop(cause: .deletion, gracePeriodMilliseconds: Int(clamping: seconds) * 1000))
            } else if resource.annotations[PodAnnotations.stop] != nil {
                let seconds = resource.spec["terminationGracePeriodSeconds"]?.intValue ?? 30
                stop(Stop(cause: .request, gracePeriodMilliseconds: Int(clamping: seconds) * 1000))
            }
        }
        wakeup.set()
    }

    /// Ends the pod's processes. A later call may shorten the grace period.
    func stop(_ order: Stop) {
        if let before = stopping, before.gracePeriodMilliseconds <= order.gracePeriodMilliseconds,
            order.cause != .removal
        {
            return
        }
        stopping = order
        for process in processes.values { process.stop(gracePeriodMilliseconds: order.gracePeriodMilliseconds) }
        for restart in restarts.values { restart.set() }
        wakeup.set()
    }

    func process(_ container: String) -> StepProcess? { processes[container] }

    // MARK: Life

    /// Runs the pod to its end.
    func run() async {
        if let seconds = pod.spec["activeDeadlineSeconds"]?.intValue { startDeadline(seconds) }
        guard let plan = await prepare() else { return await end() }
        status.started = pod.status["startTime"]?.stringValue.flatMap { WallTime(iso8601: $0) } ?? .now
        if context.runner.isolation == .plain {
            record(
                "NoIsolation", "this server may not make namespaces: containers run as plain processes with TMPDIR set",
                type: .warning)
        }
        for (index, container) in plan.initial.enumerated() {
            let outcome = await runContainer(container, at: index, isInitial: true)
            guard let outcome, outcome.exitCode == 0 else {
                if stopping == nil {
                    status.phase = "Failed"
                    status.reason = nil
                    status.message = "init container \"\(container.name)\" failed"
                }
                return await end()
            }
        }
        // Detached: it waits for the containers, which this does, too.
        let opening = Task.detached { await self.openHostPorts() }
        defer { opening.cancel() }
        let main = pod.labels[WorkflowLabels.workflow] == nil ? nil : pod.annotations[PodAnnotations.defaultContainer]
        let outcomes = await withTaskGroup(of: (String, StepOutcome?).self) { group in
            for (index, container) in plan.containers.enumerated() {
                group.addTask { (container.name, await self.runContainer(container, at: index, isInitial: false)) }
            }
            var outcomes: [String: StepOutcome] = [:]
            for await (name, outcome) in group {
                outcomes[name] = outcome
                // The other containers of a workflow step are its sidecars: they end with it.
                if name == main { stopSidecars(except: name) }
            }
            return outcomes
        }
        let counted = main.map { outcomes[$0].map { [$0] } ?? [] } ?? Array(outcomes.values)
        let isWhole = main != nil || outcomes.count == plan.containers.count
        status.phase = isWhole && !counted.isEmpty && counted.allSatisfy { $0.exitCode == 0 } ? "Succeeded" : "Failed"
        await end()
    }

    private func stopSidecars(except main: String) {
        for (name, process) in processes where name != main { process.stop(gracePeriodMilliseconds: 2000) }
        for restart in restarts.values { restart.set() }
    }

    private func startDeadline(_ seconds: Int64) {
        let start = pod.status["startTime"]?.stringValue.flatMap { WallTime(iso8601: $0) } ?? .now
        let left = start.advanced(seconds: seconds).nanoseconds - WallTime.now.nanoseconds
        // Detached: the timer must not hold up the pod; it ends with the worker.
        Task.detached { [weak self] in
            try? await Task.sleep(nanoseconds: UInt64(max(0, left)))
            await self?.deadlinePassed()
        }
    }

    private func deadlinePassed() {
        guard status.phase == "Pending" || status.phase == "Running" else { return }
        let seconds = pod.spec["terminationGracePeriodSeconds"]?.intValue ?? 30
        stop(Stop(cause: .deadline, gracePeriodMilliseconds: Int(clamping: seconds) * 1000))
    }

    /// Writes the last status, or removes the object whose deletion was waited for.
    private func end() async {
        switch stopping?.cause {
        case .removal:
            await context.files.remove(context.settings().folders.pod(pod))
            return
        case .deletion:
            await Self.finishDeletion(of: pod, context)
            return
        case .deadline:
            status.phase = "Failed"
            status.reason = "DeadlineExceeded"
            status.message = "Pod was active on the node longer than the specified deadline"
        case .shutdown:
            status.phase = "Failed"
            status.reason = "Terminated"
            status.message = "Pod was terminated because the server was shut down"
        case .request, nil:
            break
        }
        await flush()
    }

    /// Removes a pod whose processes have ended, and its folder.
    static func finishDeletion(of pod: Resource, _ context: PodContext) async {
        var options = DeletionOptions()
        options.gracePeriodSeconds = 0
        options.uid = pod.uid
        // The object may be gone already, by force; its processes are, too, and that is what counts.
        _ = try? await context.store.delete(pod.key, options)
        await context.files.remove(context.settings().folders.pod(pod))
    }

    // MARK: Before the first process

    /// The plan, once everything the pod needs is there; nil when it was stopped or refused.
    private func prepare() async -> PodPlan? {
        var delayMilliseconds = 1000
        while stopping == nil {
            do {
                let settings = context.settings()
                let network = networkPlan()
                _ = try PodPlan.volumes(pod: pod, references: references, settings: settings)
                try await claimHostPorts()
                if !saidScheduled {
                    saidScheduled = true
                    let place = "\(pod.namespace)/\(pod.name) to \(PodStatus.nodeName)"
                    record("Scheduled", "Successfully assigned \(place)", "scheduler")
                }
                let plan = try PodPlan(
                    pod: pod, references: references, settings: settings, isolation: context.runner.isolation,
                    network: network, pulled: try await pulledImages(settings))
                if network != nil { try await context.network?.names.prepare(namespace: pod.namespace) }
                try await context.files.materialize(plan.volumes)
                status.scheduled = true
                if lastFault != nil { restoreWaiting() }
                for (index, container) in plan.initial.enumerated() {
                    status.initial[index].imageID = container.imageID
                }
                for (index, container) in plan.containers.enumerated() {
                    status.containers[index].imageID = container.imageID
                }
                return plan
            } catch let fault as PodFault {
                if case .rejected(let reason, let message) = fault {
                    status.phase = "Failed"
                    status.reason = reason
                    status.message = message
                    record(reason, message, type: .warning)
                    return nil
                }
                if fault != lastFault { report(fault) }
                lastFault = fault
            } catch {
                status.phase = "Failed"
                status.reason = "FailedMount"
                status.message = "a volume could not be prepared: \(error)"
                record("FailedMount", status.message ?? "", type: .warning)
                return nil
            }
            wakeup.set(afterMilliseconds: delayMilliseconds)
            delayMilliseconds = min(delayMilliseconds * 2, 60_000)
            await wakeup.wait()
            // The row that was missing may have been added.
            try? await context.files.run(context.reloadImages)
        }
        status.phase = "Failed"
        return nil
    }

    /// The pod's address, kept over restarts of the server; pods of the host's network have the host's.
    private func networkPlan() -> PodNetworkPlan? {
        guard let network = context.network else { return nil }
        if pod.spec["hostNetwork"]?.boolValue != true {
            status.address = network.addresses.podAddress(uid: pod.uid, previous: pod.status["podIP"]?.stringValue)
        }
        let hasLinks = pod.spec["enableServiceLinks"]?.boolValue ?? true
        let services = hasLinks ? context.store.list(.service, namespace: pod.namespace).items : []
        return PodNetworkPlan(
            address: status.address, hostsFile: network.names.path(namespace: pod.namespace),
            variables: ServiceVariables.variables(of: services))
    }

    private func report(_ fault: PodFault) {
        switch fault {
        case .unschedulable(let message):
            status.scheduled = false
            status.schedulingMessage = message
            record("FailedScheduling", message, "scheduler", type: .warning)
        case .waiting(let container, let reason, let message):
            status.scheduled = true
            for index in status.containers.indices where container.isEmpty || status.containers[index].name == container
            {
                status.containers[index].state = .waiting(reason: reason, message: message)
            }
            for index in status.initial.indices where status.initial[index].name == container {
                status.initial[index].state = .waiting(reason: reason, message: message)
            }
            if reason == "ImagePullBackOff" {
                record("Failed", "Failed to pull image: \(message)", type: .warning)
                record("BackOff", "Back-off pulling image \"\(imageOf(container))\"")
            } else {
                record("Failed", "Error: \(message)", type: .warning)
            }
        case .rejected: break
        }
        publishSoon()
    }

    private func imageOf(_ container: String) -> String {
        (status.initial + status.containers).first { $0.name == container }?.image ?? ""
    }

    private func restoreWaiting() {
        let fresh = PodStatus(spec: pod.spec)
        status.initial = fresh.initial
        status.containers = fresh.containers
        lastFault = nil
    }

    var references: PodReferences {
        let store = context.store
        let namespace = pod.namespace
        func finder(_ kind: ResourceKind) -> (String) -> Resource? {
            { store.find(ResourceKey(kind, namespace: namespace, name: $0)) }
        }
        return PodReferences(
            configMap: finder(.configMap), secret: finder(.secret), claim: finder(.persistentVolumeClaim),
            serviceAccount: finder(.serviceAccount))
    }

    // MARK: Containers

    /// Runs a container until it is not to be restarted; nil when it was stopped before it started.
    private func runContainer(_ plan: ContainerPlan, at index: Int, isInitial: Bool) async -> StepOutcome? {
        let list: WritableKeyPath<PodStatus, [PodStatus.Container]> = isInitial ? \.initial : \.containers
        let folders = context.settings().folders
        var attempt = await context.files.latestAttempt(folders.container(pod, plan.name, attempt: 0))
        while true {
            var step = plan.specification
            step.folder = folders.container(pod, plan.name, attempt: attempt)
            step.image?.container += "-\(attempt)"
            status[keyPath: list][index].restartCount = attempt
            guard let outcome = await runAttempt(step, plan, at: index, list) else { return nil }
            status[keyPath: list][index].state = .terminated(outcome)
            let policy = pod.spec["restartPolicy"]?.stringValue ?? "Always"
            let isFailure = outcome.exitCode != 0
            let restarts = isFailure ? policy != "Never" : policy == "Always" && !isInitial
            guard restarts, stopping == nil else { return outcome }

            status[keyPath: list][index].last = outcome
            let seconds = min(300, 10 << min(attempt, 5))
            status[keyPath: list][index].state = .waiting(
                reason: "CrashLoopBackOff",
                message:
                    "back-off \(seconds)s restarting failed container=\(plan.name) pod=\(pod.name)_\(pod.namespace)")
            record("BackOff", "Back-off restarting failed container \(plan.name) in pod \(pod.name)", type: .warning)
            publishSoon()
            let pause = Wakeup()
            self.restarts[plan.name] = pause
            pause.set(afterMilliseconds: seconds * 1000)
            await pause.wait()
            self.restarts[plan.name] = nil
            guard stopping == nil else { return outcome }
            attempt += 1
        }
    }

    private func runAttempt(
        _ step: StepSpecification, _ plan: ContainerPlan, at index: Int,
        _ list: WritableKeyPath<PodStatus, [PodStatus.Container]>
    ) async -> StepOutcome? {
        let process: StepProcess
        do {
            switch try await context.runner.find(folder: step.folder) {
            case .ended(let outcome): return outcome
            case .running(let found): process = found
            case .neverStarted:
                guard stopping == nil else { return nil }
                recordPresence(of: plan)
                process = try await context.runner.start(step)
                record("Started", "Started container \(plan.name)")
            }
        } catch {
            record("Failed", "Error: \(error)", type: .warning)
            return .startError("\(error)")
        }
        processes[plan.name] = process
        if let stopping { process.stop(gracePeriodMilliseconds: stopping.gracePeriodMilliseconds) }
        status[keyPath: list][index].state = .running(started: .now)
        let isProbed = !plan.probes.isEmpty && list == \PodStatus.containers
        status[keyPath: list][index].isStarted = !isProbed || plan.probes.startup == nil
        status[keyPath: list][index].isReady = !isProbed || plan.probes.startup == nil && plan.probes.readiness == nil
        // Detached: it ends with the process, which this waits for.
        let probing = isProbed ? Task.detached { await self.probe(plan, process, at: index) } : nil
        defer { probing?.cancel() }
        if list == \PodStatus.containers { status.phase = "Running" }
        publishLater()
        let outcome = await process.outcome()
        processes[plan.name] = nil
        if outcome.reason == .startError || outcome.reason == .lost {
            record("Failed", "Error: \(outcome.message)", type: .warning)
        }
        return outcome
    }

    /// Takes a probe's verdict into the status.
    func note(_ index: Int, isStarted: Bool, isReady: Bool) {
        guard case .running = status.containers[index].state else { return }
        status.containers[index].isStarted = isStarted
        status.containers[index].isReady = isReady
        publishSoon()
    }

    // MARK: Publishing

    func record(
        _ reason: String, _ message: String, _ component: String = "kubelet",
        type: EventRecorder.Severity = .normal
    ) {
        let recorder = EventRecorder(store: context.store, component: component)
        let subject = pod
        // Detached: a remark holds nothing up.
        Task.detached { await recorder.record(subject, type, reason: reason, message) }
    }

    /// Writes the status unless it is final within a moment: most steps are so short that `Running` would only cost a
    /// write that the final status has to wait for.
    private func publishLater() {
        isUnpublished = true
        // Detached: a timer of its own.
        Task.detached { [weak self] in
            try? await Task.sleep(nanoseconds: 20_000_000)
            await self?.publishIfNeeded()
        }
    }

    private func publishIfNeeded() {
        if isUnpublished { publishSoon() }
    }

    private func publishSoon() {
        isUnpublished = true
        guard publishing == nil else { return }
        // Detached: the pod goes on while its status is written.
        publishing = Task.detached { await self.publishAll() }
    }

    private func publishAll() async {
        while isUnpublished {
            isUnpublished = false
            let snapshot = status
            do {
                try await context.store.update(pod.key) { current in
                    var object = current.json
                    if object["spec"]?["nodeName"] == nil, snapshot.scheduled {
                        object[path: "spec", "nodeName"] = .string(PodStatus.nodeName)
                    }
                    object["status"] = snapshot.json(previous: current.status)
                    if snapshot.isOver, current.labels[WorkflowLabels.completed] != nil {
                        object[path: "metadata", "labels", WorkflowLabels.completed] = "true"
                    }
                    return object
                }
            } catch let error as ClusterError where error.code == .unavailable {
                // The disk may be full for a while. The status is still owed.
                isUnpublished = true
                try? await Task.sleep(nanoseconds: 500_000_000)
            } catch {
                // The object is gone; the controller will say so.
            }
        }
        publishing = nil
    }

    /// Writes the status and waits until it is stored.
    private func flush() async {
        publishSoon()
        while let running = publishing { await running.value }
    }
}
