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
    var processes: [String: StepProcess] = [:]
    var restarts: [String: Wakeup] = [:]
    private(set) var stopping: Stop?
    var isUnpublished = false
    var publishing: Task<Void, Never>?
    var lastFault: PodFault?
    var saidScheduled = false
    /// Why the last pull failed, how long that is taken for granted, and how long it will be the next time.
    var pullFault: (fault: PodFault, until: MonotonicTime)?
    var pullPauseMilliseconds = 1000
    /// Ends waiting for a pull, which may go on for other pods.
    var abandonPull: (@Sendable () -> Void)?
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
        let isFirst = stopping == nil
        var order = order
        if let before = stopping, before.gracePeriodMilliseconds <= order.gracePeriodMilliseconds,
            order.cause != .removal
        {
            // What is to become of the object is the later word; the time is the shorter one.
            guard order.cause == .deletion, before.cause != .deletion, before.cause != .removal else { return }
            order.gracePeriodMilliseconds = before.gracePeriodMilliseconds
        }
        stopping = order
        abandonPull?()
        for restart in restarts.values { restart.set() }
        wakeup.set()
        if isFirst, order.cause == .deletion, order.gracePeriodMilliseconds >= 1000, isServed {
            // Detached: who deletes a pod waits for its end, not here.
            Task.detached {
                try? await Task.sleep(nanoseconds: Self.drainMilliseconds * 1_000_000)
                await self.stopProcesses()
            }
        } else {
            stopProcesses()
        }
    }

    /// How long a pod that Services lead to goes on after its deletion: they stop leading to it at once, and what it is
    /// answering ends. Kubernetes leaves this to a preStop hook that sleeps.
    private static let drainMilliseconds: UInt64 = 250

    private var isServed: Bool {
        status.phase == "Running"
            && context.store.list(.service, namespace: pod.namespace).items.contains { service in
                let labels = service.spec["selector"]?.stringMap ?? [:]
                return !labels.isEmpty && LabelSelector(labels: labels).matches(pod.labels)
            }
    }

    private func stopProcesses() {
        guard let stopping else { return }
        for process in processes.values { process.stop(gracePeriodMilliseconds: stopping.gracePeriodMilliseconds) }
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
        while true {
            do {
                _ = try await context.store.delete(pod.key, options)
            } catch let error as ClusterError where error.code == .unavailable {
                // The disk may be full for a while. Nobody else would finish the deletion.
                try? await Task.sleep(nanoseconds: 500_000_000)
                continue
            } catch {
                // The object may be gone already, by force; its processes are, too, and that is what counts.
            }
            break
        }
        await context.files.remove(context.settings().folders.pod(pod))
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
}
