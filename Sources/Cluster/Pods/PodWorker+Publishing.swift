// What a pod's worker tells the world: events, and the status as soon as it changed but no more often than it can be written.

import Formats

extension PodWorker {
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
    func publishLater() {
        isUnpublished = true
        // Detached: a timer of its own.
        Task.detached { [weak self] in
            try? await Task.sleep(nanoseconds: 20_000_000)
            await self?.publishIfNeeded()
        }
    }

    func publishIfNeeded() {
        if isUnpublished { publishSoon() }
    }

    func publishSoon() {
        isUnpublished = true
        guard publishing == nil else { return }
        // Detached: the pod goes on while its status is written.
        publishing = Task.detached { await self.publishAll() }
    }

    func publishAll() async {
        while isUnpublished {
            isUnpublished = false
            let snapshot = status
            do {
                let uid = pod.uid
                try await context.store.update(pod.key) { current in
                    // Another pod may have the name by now.
                    guard current.uid == uid else { throw ClusterError.notFound(.pod, current.name) }
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
    func flush() async {
        publishSoon()
        while let running = publishing { await running.value }
    }
}
