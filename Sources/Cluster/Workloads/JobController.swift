// Runs the pods of Jobs until enough of them have succeeded or too many have failed.

import Clock
import Formats
import Synchronization

final class JobController: Sendable {
    private let store: ResourceStore
    private let recorder: EventRecorder
    /// When deadlines, back-offs and times to live were looked at last.
    private let lastSweep = Mutex(WallTime.now)
    /// Pods made in one go; the rest follows with the next change.
    private static let burstMax = 100

    init(store: ResourceStore) {
        self.store = store
        recorder = EventRecorder(store: store, component: "job-controller")
    }

    /// Works until cancelled.
    func run() async {
        await ControllerLoop.run(
            "jobs", store, [.job, .pod], idleMilliseconds: 500, idle: { await sweep() },
            handle: { event in
                let resource = event.resource
                if resource.kind == .job {
                    if event.change != .deleted { await reconcile(resource.key) }
                } else if let owner = resource.controller, owner.kind == "Job" {
                    let last = event.change == .deleted ? resource : nil
                    await reconcile(ResourceKey(.job, namespace: resource.namespace, name: owner.name), deleted: last)
                }
                // Others may change without a pause; time goes on all the same.
                await sweep()
            })
    }

    /// Does what time alone makes due, at most twice a second.
    private func sweep() async {
        let now = WallTime.now
        let isDue = lastSweep.withLock { last in
            guard now.nanoseconds - last.nanoseconds >= 500_000_000 || now < last else { return false }
            last = now
            return true
        }
        guard isDue else { return }
        for job in store.list(.job).items where !job.isTerminating {
            if let verdict = job.jobVerdict {
                await expire(job, verdict, now)
            } else {
                await reconcile(job.key)
            }
        }
    }

    private func expire(_ job: Resource, _ verdict: JSON, _ now: WallTime) async {
        guard let seconds = job.spec["ttlSecondsAfterFinished"]?.intValue,
            let ended = verdict["lastTransitionTime"]?.stringValue.flatMap({ WallTime(iso8601: $0) }),
            now >= ended.advanced(seconds: seconds)
        else { return }
        await ControllerLoop.attempt("jobs") { try await store.delete(job.key) }
    }

    /// `deleted` is the last state of a pod that has just gone: it may have ended before anybody looked.
    private func reconcile(_ key: ResourceKey, deleted: Resource? = nil) async {
        guard let job = store.find(key), !job.isTerminating, job.jobVerdict == nil else { return }
        await ControllerLoop.attempt("jobs") {
            var pods = store.dependents(of: job.uid).filter { $0.kind == .pod }
            // The server was stopped under these: that is no failure of theirs, and others take their place.
            for pod in pods where pod.status["reason"] == "Terminated" && !pod.isTerminating {
                try await store.delete(pod.key)
            }
            pods.removeAll { $0.status["reason"] == "Terminated" }
            if let deleted, deleted.ownerUIDs.contains(job.uid), deleted.status["reason"] != "Terminated" {
                pods.append(deleted)
            }
            let progress = try await publish(job, pods)
            for pod in progress.surplus where pod.uid != deleted?.uid {
                try await store.delete(pod.key)
                await recorder.record(job, .normal, reason: "SuccessfulDelete", "Deleted pod: \(pod.name)")
            }
            guard progress.missing > 0 else { return }
            if job.isIndexed {
                for index in progress.missingIndexes().prefix(Self.burstMax) {
                    guard await create(Self.pod(of: job, index: index), of: job) else { return }
                }
            } else {
                for _ in 0..<min(progress.missing, Self.burstMax) {
                    guard await create(PodTemplate.pod(of: job), of: job) else { return }
                }
            }
        }
    }

    /// Writes what `pods` have come to.
    private func publish(_ job: Resource, _ pods: [Resource]) async throws -> JobProgress {
        var progress = JobProgress(job: job, pods: pods, now: .now)
        let before = job.jobSuspension
        let written = try await store.update(job.key) { current in
            progress = JobProgress(job: current, pods: pods, now: .now)
            return progress.object
        }
        if let verdict = written.jobVerdict {
            if verdict["type"] == "Complete" {
                await recorder.record(written, .normal, reason: "Completed", "Job completed")
            } else {
                await recorder.record(
                    written, .warning, reason: verdict["reason"]?.stringValue ?? "Failed",
                    verdict["message"]?.stringValue ?? "")
            }
        } else if let after = written.jobSuspension, after != before {
            let isSuspended = after == "True"
            await recorder.record(
                written, .normal, reason: isSuspended ? "Suspended" : "Resumed",
                isSuspended ? "Job suspended" : "Job resumed")
        }
        return progress
    }

    private func create(_ pod: JSON, of job: Resource) async -> Bool {
        do {
            let made = try await store.create(.pod, namespace: job.namespace, pod)
            await recorder.record(job, .normal, reason: "SuccessfulCreate", "Created pod: \(made.name)")
            return true
        } catch {
            let reason = (error as? ClusterError)?.message ?? "\(error)"
            await recorder.record(job, .warning, reason: "FailedCreate", "Error creating: \(reason)")
            return false
        }
    }

    /// A pod that knows its number by name, annotation, label and variable.
    static func pod(of job: Resource, index: Int) -> JSON {
        var pod = PodTemplate.pod(of: job)
        let number: JSON = .string("\(index)")
        pod[path: "metadata", "generateName"] = .string("\(job.name)-\(index)-")
        pod[path: "metadata", "annotations", JobProgress.completionIndex] = number
        pod[path: "metadata", "labels", JobProgress.completionIndex] = number
        for list in ["initContainers", "containers"] {
            guard let containers = pod[path: "spec", list]?.arrayValue else { continue }
            pod[path: "spec", list] = .array(
                containers.map { container in
                    var container = container
                    let variables = (container["env"]?.arrayValue ?? []).filter { $0["name"] != "JOB_COMPLETION_INDEX" }
                    container["env"] = .array(variables + [["name": "JOB_COMPLETION_INDEX", "value": number]])
                    return container
                })
        }
        return pod
    }
}

extension Resource {
    /// The status of a Job's condition `Suspended`.
    fileprivate var jobSuspension: String? {
        status["conditions"]?.arrayValue?.first { $0["type"] == "Suspended" }?["status"]?.stringValue
    }
}
