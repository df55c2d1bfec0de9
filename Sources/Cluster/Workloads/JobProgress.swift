// What a Job has come to, and what it wants next, worked out from the object, its pods and the time alone. Each pod
// that ended is counted once: the counters and the list of pods in them are written together, so that neither a crash
// nor the deletion of a finished pod makes the Job run anything twice. Source: kubernetes/api `batch/v1`.

import Bytes
import Clock
import Formats

struct JobProgress {
    /// Uids of pods that the counters hold already. The limits of a Job's fields keep it within an annotation's size.
    static let counted = "slipway.dev/counted-pods"
    static let completionIndex = "batch.kubernetes.io/job-completion-index"

    private(set) var succeeded: Int
    private(set) var failed: Int
    private(set) var completedIndexes: JobIndexes
    private var countedPods: Set<String>
    /// Pods that run or wait, and are wanted.
    let active: [Resource]
    private let terminatingCount: Int
    private let job: Resource
    private let now: WallTime
    private let endings: Endings

    /// The latest failures, for the back-off.
    private struct Endings {
        var failuresInARow = 0
        var latest: WallTime?
    }

    init(job: Resource, pods: [Resource], now: WallTime) {
        self.job = job
        self.now = now
        succeeded = job.count("succeeded")
        failed = job.count("failed")
        completedIndexes = JobIndexes(job.status["completedIndexes"]?.stringValue ?? "")
        countedPods = Set((job.annotations[Self.counted] ?? "").pieces(by: " ").map(String.init))
        active = pods.filter(\.isActivePod)
        terminatingCount = pods.count { $0.isTerminating && !$0.hasEnded }
        endings = Self.endings(of: pods)
        for pod in pods where pod.hasEnded && countedPods.insert(pod.uid).inserted { count(pod) }
    }

    private mutating func count(_ pod: Resource) {
        guard pod.status["phase"] == "Succeeded" else {
            failed += 1
            return
        }
        if job.isIndexed {
            if let index = pod.completionIndex { completedIndexes.insert(index) }
            succeeded = completedIndexes.count
        } else {
            succeeded += 1
        }
    }

    private static func endings(of pods: [Resource]) -> Endings {
        var endings = Endings()
        for pod in pods.filter(\.hasEnded).sorted(by: { $0.ended < $1.ended }) {
            if pod.status["phase"] == "Succeeded" {
                endings = Endings()
            } else {
                endings.failuresInARow += 1
                endings.latest = pod.ended
            }
        }
        return endings
    }

    // MARK: Verdicts

    private var completions: Int? { job.spec["completions"]?.intValue.map { Int(clamping: $0) } }
    private var parallelism: Int { Int(clamping: job.spec["parallelism"]?.intValue ?? 1) }
    private var isSuspended: Bool { job.spec["suspend"]?.boolValue == true }

    private func condition(_ type: String) -> JSON? {
        job.status["conditions"]?.arrayValue?.first { $0["type"]?.stringValue == type && $0["status"] == "True" }
    }

    private var isSuccess: Bool {
        if condition("FailureTarget") != nil { return false }
        if condition("SuccessCriteriaMet") != nil { return true }
        // Without a number of completions the pods share out work among themselves: one that succeeds says it is done.
        return completions.map { succeeded >= $0 } ?? (succeeded > 0 && active.isEmpty)
    }

    private var failure: (reason: String, message: String)? {
        if let known = condition("FailureTarget") {
            return (known["reason"]?.stringValue ?? "", known["message"]?.stringValue ?? "")
        }
        guard !isSuccess else { return nil }
        let limit = Int(clamping: job.spec["backoffLimit"]?.intValue ?? 6)
        let restarts = active.reduce(0) { $0 + $1.restartCount }
        let restartsInPlace = job.spec["template"]?["spec"]?["restartPolicy"] == "OnFailure"
        if failed > limit || restartsInPlace && restarts > 0 && restarts >= limit {
            return ("BackoffLimitExceeded", "Job has reached the specified backoff limit")
        }
        if let deadline, !isSuspended, now >= deadline {
            return ("DeadlineExceeded", "Job was active longer than specified deadline")
        }
        return nil
    }

    private var deadline: WallTime? {
        guard let seconds = job.spec["activeDeadlineSeconds"]?.intValue,
            let start = job.status["startTime"]?.stringValue.flatMap({ WallTime(iso8601: $0) })
        else { return nil }
        return start.advanced(seconds: seconds)
    }

    /// How many pods should run now, those that do included.
    private var wanted: Int {
        if isSuspended || isSuccess || failure != nil { return 0 }
        guard let completions else { return succeeded > 0 ? active.count : parallelism }
        return min(parallelism, max(0, completions - succeeded))
    }

    /// Seconds between failures and the next pod: 10, 20, 40, ... up to ten minutes.
    private var isBackingOff: Bool {
        guard endings.failuresInARow > 0, let latest = endings.latest else { return false }
        let delay = min(600, Int64(10) << Int64(min(endings.failuresInARow - 1, 6)))
        return now < latest.advanced(seconds: delay)
    }

    // MARK: What follows

    /// Pods that should end: those that are too many, the ones that are least far first.
    var surplus: [Resource] {
        func rank(_ pod: Resource) -> Int { pod.status["phase"] != "Running" ? 0 : pod.isReady ? 2 : 1 }
        let order = active.sorted { rank($0) != rank($1) ? rank($0) < rank($1) : $0.version > $1.version }
        return Array(order.prefix(max(0, active.count - wanted)))
    }

    /// How many pods to make now.
    var missing: Int { isBackingOff ? 0 : max(0, wanted - active.count) }

    /// The completion indexes that the next pods should have, lowest first.
    func missingIndexes() -> [Int] {
        let running = Set(active.compactMap(\.completionIndex))
        var indexes: [Int] = []
        var index = 0
        while indexes.count < missing, index < completions ?? 0 {
            if !completedIndexes.contains(index), !running.contains(index) { indexes.append(index) }
            index += 1
        }
        return indexes
    }

    /// The object with its counters and conditions.
    var object: JSON {
        var object = job.json
        let list = countedPods.sorted().joined(separator: " ")
        object[path: "metadata", "annotations", Self.counted] = list.isEmpty ? nil : .string(list)
        object["status"] = status
        return object
    }

    private var status: JSON {
        var status: JSON = [
            "ready": JSON(active.count(where: \.isReady)), "terminating": JSON(terminatingCount),
            "uncountedTerminatedPods": [:],
        ]
        for (field, count) in [("active", active.count), ("succeeded", succeeded), ("failed", failed)] where count > 0 {
            status[field] = JSON(count)
        }
        if job.isIndexed { status["completedIndexes"] = .string(completedIndexes.text) }
        status["startTime"] = isSuspended ? nil : job.status["startTime"] ?? .string(now.iso8601())
        let conditions = conditions()
        if !conditions.isEmpty { status["conditions"] = .array(conditions) }
        let isComplete = conditions.contains { $0["type"] == "Complete" }
        if isComplete { status["completionTime"] = .string(now.iso8601()) }
        return status
    }

    private func conditions() -> [JSON] {
        var conditions = job.status["conditions"]?.arrayValue ?? []
        func set(_ type: String, _ holds: Bool, _ reason: String, _ message: String) {
            let condition: JSON = [
                "type": .string(type), "status": holds ? "True" : "False", "reason": .string(reason),
                "message": .string(message), "lastProbeTime": .string(now.iso8601()),
                "lastTransitionTime": .string(now.iso8601()),
            ]
            guard let index = conditions.firstIndex(where: { $0["type"]?.stringValue == type }) else {
                return conditions.append(condition)
            }
            if conditions[index]["status"] != condition["status"] { conditions[index] = condition }
        }
        let hasNoPods = active.isEmpty && terminatingCount == 0
        if isSuccess {
            let message = "Reached expected number of succeeded pods"
            set("SuccessCriteriaMet", true, "CompletionsReached", message)
            if hasNoPods { set("Complete", true, "CompletionsReached", message) }
        } else if let failure {
            set("FailureTarget", true, failure.reason, failure.message)
            if hasNoPods { set("Failed", true, failure.reason, failure.message) }
        } else if isSuspended {
            set("Suspended", true, "JobSuspended", "Job suspended")
        } else if condition("Suspended") != nil {
            set("Suspended", false, "JobResumed", "Job resumed")
        }
        return conditions
    }
}

extension Resource {
    /// True for a pod that ended, well or not.
    fileprivate var hasEnded: Bool { status["phase"] == "Succeeded" || status["phase"] == "Failed" }

    /// When the last container of a pod ended.
    fileprivate var ended: WallTime {
        let statuses = ["initContainerStatuses", "containerStatuses"].flatMap { status[$0]?.arrayValue ?? [] }
        let times = statuses.compactMap { $0["state"]?["terminated"]?["finishedAt"]?.stringValue }
        let time = times.max() ?? metadata["creationTimestamp"]?.stringValue
        return time.flatMap { WallTime(iso8601: $0) } ?? .now
    }

    fileprivate var restartCount: Int {
        ["initContainerStatuses", "containerStatuses"].flatMap { status[$0]?.arrayValue ?? [] }
            .reduce(0) { $0 + Int(clamping: $1["restartCount"]?.intValue ?? 0) }
    }

    fileprivate var completionIndex: Int? { annotations[JobProgress.completionIndex].flatMap { Int($0) } }

    /// True for a Job whose pods have numbers.
    var isIndexed: Bool { spec["completionMode"] == "Indexed" }

    /// The condition with which a Job ended, `Complete` or `Failed`; nil while it goes on.
    var jobVerdict: JSON? {
        status["conditions"]?.arrayValue?.first {
            ($0["type"] == "Complete" || $0["type"] == "Failed") && $0["status"] == "True"
        }
    }
}
