// A running container's probes: the startup probe first, then readiness and liveness side by side until its process ends.

import Runner

extension PodWorker {
    /// Probes until cancelled.
    func probe(_ plan: ContainerPlan, _ process: StepProcess, at index: Int) async {
        let prober = Prober(runner: context.runner, process: process)
        if let startup = plan.probes.startup {
            guard await hasStarted(startup, prober, plan) else {
                if !Task.isCancelled { killUnhealthy(plan, process, "startup") }
                return
            }
            note(index, isStarted: true, isReady: plan.probes.readiness == nil)
        }
        await withDiscardingTaskGroup { group in
            if let readiness = plan.probes.readiness {
                group.addTask { await self.followReadiness(readiness, prober, plan, index) }
            }
            if let liveness = plan.probes.liveness {
                group.addTask { await self.followLiveness(liveness, prober, plan, process) }
            }
        }
    }

    /// Sleeps; false when cancelled.
    private nonisolated func pause(milliseconds: Int) async -> Bool {
        do { try await Task.sleep(nanoseconds: UInt64(milliseconds) * 1_000_000) } catch { return false }
        return !Task.isCancelled
    }

    private func hasStarted(_ probe: Probe, _ prober: Prober, _ plan: ContainerPlan) async -> Bool {
        var failures = 0
        guard await pause(milliseconds: probe.initialDelaySeconds * 1000) else { return false }
        while failures < probe.failureThreshold {
            guard let failure = await prober.failure(of: probe) else { return true }
            failures += 1
            remark(plan, "Startup", failure)
            guard await pause(milliseconds: probe.periodSeconds * 1000) else { return false }
        }
        return false
    }

    private func followReadiness(_ probe: Probe, _ prober: Prober, _ plan: ContainerPlan, _ index: Int) async {
        var isReady = false
        var successes = 0
        var failures = 0
        guard await pause(milliseconds: probe.initialDelaySeconds * 1000) else { return }
        while !Task.isCancelled {
            let failure = await prober.failure(of: probe)
            guard !Task.isCancelled else { return }
            successes = failure == nil ? successes + 1 : 0
            failures = failure == nil ? 0 : failures + 1
            if let failure, isReady || failures == probe.failureThreshold { remark(plan, "Readiness", failure) }
            if !isReady, successes >= probe.successThreshold {
                isReady = true
                note(index, isStarted: true, isReady: true)
            } else if isReady, failures >= probe.failureThreshold {
                isReady = false
                note(index, isStarted: true, isReady: false)
            }
            // Until it is ready it is looked at more often than asked for: a whole period more would only be waiting.
            let milliseconds = isReady ? probe.periodSeconds * 1000 : min(probe.periodSeconds * 1000, 250)
            guard await pause(milliseconds: milliseconds) else { return }
        }
    }

    private func followLiveness(
        _ probe: Probe, _ prober: Prober, _ plan: ContainerPlan, _ process: StepProcess
    ) async {
        var failures = 0
        guard await pause(milliseconds: probe.initialDelaySeconds * 1000) else { return }
        while await pause(milliseconds: probe.periodSeconds * 1000) {
            guard let failure = await prober.failure(of: probe) else {
                failures = 0
                continue
            }
            guard !Task.isCancelled else { return }
            failures += 1
            remark(plan, "Liveness", failure)
            if failures >= probe.failureThreshold { return killUnhealthy(plan, process, "liveness") }
        }
    }

    private func remark(_ plan: ContainerPlan, _ probe: String, _ failure: String) {
        record("Unhealthy", "\(probe) probe failed: \(failure)", type: .warning)
    }

    private func killUnhealthy(_ plan: ContainerPlan, _ process: StepProcess, _ probe: String) {
        record("Killing", "Container \(plan.name) failed \(probe) probe, will be restarted")
        process.stop()
    }
}
