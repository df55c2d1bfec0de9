// Gives every workflow that has not ended a worker, and passes on what happens to its pods.

import Clock
import Files
import Formats
import Log

actor WorkflowController {
    private let context: PodContext
    private let logger = Logger(role: "cluster")
    private var workers: [String: WorkflowWorker] = [:]
    private var expiring: Set<String> = []

    init(context: PodContext) { self.context = context }

    func run() async {
        while !Task.isCancelled {
            do {
                let (list, watch) = try context.store.listAndWatch([.workflow, .pod])
                let workflows = list.items.filter { $0.kind == .workflow }
                for workflow in workflows { await see(workflow) }
                for pod in list.items where pod.kind == .pod { await pass(pod, isDeleted: false) }
                await sweep(keeping: workflows)
                while true {
                    for event in try await watch.next() { await handle(event) }
                }
            } catch is CancellationError {
                break
            } catch {
                logger.warning("workflows are listed again", [("reason", "\(error)")])
                try? await Task.sleep(nanoseconds: 100_000_000)
            }
        }
        for worker in workers.values { await worker.cancel() }
    }

    private func handle(_ event: ResourceEvent) async {
        let resource = event.resource
        if resource.kind == .pod {
            await pass(resource, isDeleted: event.change == .deleted)
        } else if event.change == .deleted {
            await workers.removeValue(forKey: resource.uid)?.cancel()
            await context.files.remove(
                context.settings().folders.artifacts + "/" + WorkflowWorker.artifactFolder(resource))
        } else {
            await see(resource)
        }
    }

    private func pass(_ pod: Resource, isDeleted: Bool) async {
        guard pod.labels[WorkflowLabels.workflow] != nil, let owner = pod.ownerUIDs.first, let worker = workers[owner]
        else { return }
        await worker.podChanged(pod, isDeleted: isDeleted)
    }

    private func see(_ workflow: Resource) async {
        if let worker = workers[workflow.uid] { return await worker.changed(workflow) }
        guard !workflow.isTerminating else { return }
        if workflow.status["finishedAt"]?.stringValue != nil { return expire(workflow) }
        let worker = WorkflowWorker(workflow: workflow, context: context)
        workers[workflow.uid] = worker
        let uid = workflow.uid
        // Detached: it lives as long as the workflow, not as this call.
        Task.detached {
            await worker.run()
            await self.ended(uid)
        }
    }

    private func ended(_ uid: String) { workers[uid] = nil }

    /// Deletes a workflow that is over when its `ttlStrategy` says so.
    private func expire(_ workflow: Resource) {
        let strategy = workflow.spec["ttlStrategy"] ?? [:]
        let own = workflow.status["phase"]?.stringValue == "Succeeded" ? "secondsAfterSuccess" : "secondsAfterFailure"
        guard let seconds = (strategy[own] ?? strategy["secondsAfterCompletion"])?.intValue,
            let finished = workflow.status["finishedAt"]?.stringValue.flatMap({ WallTime(iso8601: $0) }),
            expiring.insert(workflow.uid).inserted
        else { return }
        let left = max(0, finished.advanced(seconds: seconds).nanoseconds - WallTime.now.nanoseconds)
        var options = DeletionOptions()
        options.uid = workflow.uid
        // Detached: a timer of its own. After a restart the list above sets it again.
        Task.detached { [store = context.store, options] in
            try? await Task.sleep(nanoseconds: UInt64(left))
            _ = try? await store.delete(workflow.key, options)
        }
    }

    /// Removes artifacts of workflows that were deleted while no server ran.
    private func sweep(keeping workflows: [Resource]) async {
        let folder = context.settings().folders.artifacts
        let kept = Set(workflows.map { WorkflowWorker.artifactFolder($0) })
        let stale = (try? await context.files.run { FileTools.names(in: folder).filter { !kept.contains($0) } }) ?? []
        for name in stale { await context.files.remove("\(folder)/\(name)") }
    }
}
