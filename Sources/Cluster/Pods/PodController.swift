// Gives every pod that has not ended a worker, and tells workers what changed.

import Files
import Formats
import Log
import Runner

actor PodController {
    private let context: PodContext
    private let logger = Logger(role: "cluster")
    private var workers: [String: PodWorker] = [:]
    private var isShuttingDown = false

    init(context: PodContext) { self.context = context }

    /// Works until cancelled.
    func run() async {
        await sweep()
        while !Task.isCancelled {
            do {
                let kinds: [ResourceKind] = [.pod, .persistentVolumeClaim, .configMap, .secret, .serviceAccount]
                let (list, watch) = try context.store.listAndWatch(kinds)
                let pods = list.items.filter { $0.kind == .pod }
                for pod in pods { await see(pod) }
                let known = Set(pods.map(\.uid))
                for (uid, worker) in workers where !known.contains(uid) {
                    await worker.stop(.init(cause: .removal, gracePeriodMilliseconds: 0))
                }
                while true { await handle(try await watch.next()) }
            } catch is CancellationError {
                return
            } catch {
                logger.warning("pods are listed again", [("reason", "\(error)")])
                try? await Task.sleep(nanoseconds: 100_000_000)
            }
        }
    }

    private func handle(_ events: [ResourceEvent]) async {
        var othersChanged = false
        for event in events {
            if event.resource.kind != .pod {
                othersChanged = true
            } else if event.change == .deleted {
                if let worker = workers[event.resource.uid] {
                    await worker.stop(.init(cause: .removal, gracePeriodMilliseconds: 0))
                } else {
                    await context.files.remove(context.settings().folders.pod(event.resource))
                }
            } else {
                await see(event.resource)
            }
        }
        if othersChanged { for worker in workers.values { await worker.changed(nil) } }
    }

    private func see(_ pod: Resource) async {
        if let worker = workers[pod.uid] { return await worker.changed(pod) }
        let phase = pod.status["phase"]?.stringValue ?? "Pending"
        guard phase != "Succeeded", phase != "Failed" else {
            // Its deletion was asked for while its last status was on the way: no worker is left to finish it.
            if pod.isTerminating { await PodWorker.finishDeletion(of: pod, context) }
            return
        }
        guard !isShuttingDown else { return }
        let worker = PodWorker(pod: pod, context: context)
        workers[pod.uid] = worker
        if pod.isTerminating { await worker.changed(pod) }
        // Detached: it lives as long as the pod, not as this call.
        Task.detached {
            await worker.run()
            await self.ended(pod)
        }
    }

    private func ended(_ pod: Resource) async {
        let uid = pod.uid
        workers[uid] = nil
        // A deletion that came after the worker's last look, and before this, has nobody else to finish it.
        if let last = context.store.find(pod.key), last.uid == uid, last.isTerminating {
            await PodWorker.finishDeletion(of: last, context)
        }
        let hadPorts = context.network?.hostPorts.release(uid: uid) == true
        context.network?.addresses.releasePod(uid: uid)
        // Another pod may wait for them.
        if hadPorts { for worker in workers.values { await worker.changed(nil) } }
    }

    /// The process of a container that runs now; nil when it does not.
    func process(pod uid: String, container: String) async -> StepProcess? {
        await workers[uid]?.process(container)
    }

    /// Ends every process within `gracePeriodMilliseconds`; the pods end Failed and say why.
    func shutdown(gracePeriodMilliseconds: Int) async {
        isShuttingDown = true
        for worker in workers.values {
            await worker.stop(.init(cause: .shutdown, gracePeriodMilliseconds: gracePeriodMilliseconds))
        }
        while !workers.isEmpty {
            do { try await Task.sleep(nanoseconds: 5_000_000) } catch { return }
        }
    }

    /// Ends processes and removes folders of pods that no longer exist: a crash came between the two.
    private func sweep() async {
        let folders = context.settings().folders
        let known = Set(context.store.list(.pod).items.map { folders.pod($0) })
        let runner = context.runner
        let stale =
            (try? await context.files.run {
                FileTools.names(in: folders.pods).map { folders.pods + "/" + $0 }.filter { !known.contains($0) }
            }) ?? []
        for folder in stale {
            let attempts =
                (try? await context.files.run {
                    FileTools.names(in: folder + "/containers").flatMap { container in
                        FileTools.names(in: "\(folder)/containers/\(container)").map {
                            "\(folder)/containers/\(container)/\($0)"
                        }
                    }
                }) ?? []
            for attempt in attempts {
                if case .running(let process)? = try? await runner.find(folder: attempt) {
                    process.stop(gracePeriodMilliseconds: 0)
                    _ = await process.outcome()
                }
            }
            await context.files.remove(folder)
        }
    }
}
