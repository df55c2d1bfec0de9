import Clock
import Formats
import Testing

@testable import Cluster

private func podOfJob(_ name: String, _ phase: String, index: Int? = nil, finished: String = "", restarts: Int = 0)
    -> Resource
{
    var json: JSON = [
        "metadata": ["name": .string(name), "uid": .string("uid-\(name)")], "status": ["phase": .string(phase)],
    ]
    if let index { json[path: "metadata", "annotations", JobProgress.completionIndex] = .string("\(index)") }
    var container: JSON = ["restartCount": JSON(restarts)]
    if !finished.isEmpty { container["state"] = ["terminated": ["finishedAt": .string(finished)]] }
    json[path: "status", "containerStatuses"] = [container]
    return Resource(key: key(name, .pod), json: json, version: 1)
}

private func job(_ spec: JSON, status: JSON = [:]) -> Resource {
    Resource(key: key("j", .job), json: ["metadata": ["name": "j"], "spec": spec, "status": status], version: 1)
}

private let start = WallTime(iso8601: "2026-01-02T03:04:05Z") ?? .now

/// The Job that follows when `pods` are seen `seconds` after the start.
private func next(_ before: Resource, _ pods: [Resource], after seconds: Int64 = 0) -> (JobProgress, Resource) {
    let progress = JobProgress(job: before, pods: pods, now: start.advanced(seconds: seconds))
    return (progress, Resource(key: before.key, json: progress.object, version: 1))
}

struct JobProgressTests {
    @Test(
        arguments: [
            (["completions": 3, "parallelism": 2], [], 2), (["completions": 1, "parallelism": 5], [], 1),
            (["completions": 0], [], 0), (["parallelism": 3], [], 3), (["parallelism": 3], ["Running"], 2),
            (["completions": 3, "parallelism": 2], ["Succeeded", "Succeeded"], 1),
            (["completions": 3, "parallelism": 2], ["Succeeded", "Running"], 1),
            (["parallelism": 3], ["Succeeded", "Running"], 0), (["completions": 2, "suspend": true], [], 0),
        ] as [(JSON, [String], Int)])
    func podsToMake(_ spec: JSON, _ phases: [String], _ missing: Int) {
        let pods = phases.enumerated().map { podOfJob("p\($0)", $1, finished: "2026-01-02T03:04:05Z") }
        #expect(next(job(spec), pods).0.missing == missing)
    }

    @Test func aPodCountsOnceAlsoWhenItIsDeleted() {
        let done = podOfJob("a", "Succeeded", finished: "2026-01-02T03:04:05Z")
        let first = next(job(["completions": 2]), [done])
        #expect(first.0.succeeded == 1 && first.0.missing == 1)
        let again = next(first.1, [done])
        #expect(again.0.succeeded == 1 && again.1.json == first.1.json)
        let deleted = next(again.1, [])
        #expect(deleted.0.succeeded == 1 && deleted.0.missing == 1)
        #expect(next(deleted.1, [done]).0.succeeded == 1)
    }

    @Test func completionComesWhenThePodsHaveGone() {
        let done = podOfJob("a", "Succeeded", finished: "2026-01-02T03:04:05Z")
        let extra = podOfJob("b", "Running")
        let met = next(job(["completions": 1]), [done, extra], after: 1)
        #expect(met.0.surplus.map(\.name) == ["b"] && met.1.jobVerdict == nil)
        #expect(met.1.status["conditions"]?[0]?["type"] == "SuccessCriteriaMet")
        let over = next(met.1, [done], after: 2).1
        #expect(over.jobVerdict?["type"] == "Complete" && over.jobVerdict?["reason"] == "CompletionsReached")
        #expect(over.status["completionTime"] == "2026-01-02T03:04:07Z")
        #expect(over.status["startTime"] == "2026-01-02T03:04:06Z")
    }

    /// Waits of 10, 20 and 40 s after one, two and three failures in a row; a success ends the row.
    @Test(arguments: [(1, 10), (2, 20), (3, 40), (9, 600)] as [(Int, Int64)])
    func backOff(_ failures: Int, _ seconds: Int64) {
        let spec: JSON = ["completions": 5, "backoffLimit": 20]
        let failed = (0..<failures).map { podOfJob("f\($0)", "Failed", finished: "2026-01-02T03:04:05Z") }
        #expect(next(job(spec), failed, after: seconds - 1).0.missing == 0)
        #expect(next(job(spec), failed, after: seconds).0.missing == 1)
        let success = podOfJob("s", "Succeeded", finished: "2026-01-02T03:04:06Z")
        #expect(next(job(spec), failed + [success], after: 2).0.missing == 1)
    }

    @Test(
        arguments: [
            (["backoffLimit": 1], ["Failed"], 0, nil),
            (["backoffLimit": 1], ["Failed", "Failed"], 0, "BackoffLimitExceeded"),
            (["backoffLimit": 0], ["Failed"], 0, "BackoffLimitExceeded"),
            (["backoffLimit": 2, "template": ["spec": ["restartPolicy": "OnFailure"]]], [], 2, "BackoffLimitExceeded"),
            (["backoffLimit": 2, "template": ["spec": ["restartPolicy": "OnFailure"]]], [], 1, nil),
            (["backoffLimit": 0, "template": ["spec": ["restartPolicy": "OnFailure"]]], [], 0, nil),
            (["backoffLimit": 0, "template": ["spec": ["restartPolicy": "OnFailure"]]], [], 1, "BackoffLimitExceeded"),
        ] as [(JSON, [String], Int, String?)])
    func limits(_ spec: JSON, _ phases: [String], _ restarts: Int, _ reason: String?) {
        var spec = spec
        spec["completions"] = 1
        let running = podOfJob("r", "Running", restarts: restarts)
        let pods = phases.enumerated().map { podOfJob("p\($0)", $1, finished: "2026-01-02T03:04:05Z") } + [running]
        let (progress, after) = next(job(spec), pods)
        let target = after.status["conditions"]?.arrayValue?.first { $0["type"] == "FailureTarget" }
        #expect(target?["reason"]?.stringValue == reason)
        #expect(progress.surplus.count == (reason == nil ? 0 : 1))
        let gone = next(after, pods.dropLast()).1
        #expect(gone.jobVerdict?["reason"]?.stringValue == reason)
    }

    @Test func deadline() {
        let spec: JSON = ["completions": 1, "activeDeadlineSeconds": 5]
        let running = podOfJob("r", "Running")
        let started = next(job(spec), [running]).1
        #expect(next(started, [running], after: 4).0.surplus.isEmpty)
        let (progress, late) = next(started, [running], after: 5)
        #expect(progress.surplus.count == 1 && late.jobVerdict == nil)
        let verdict = next(late, [], after: 6).1.jobVerdict
        #expect(verdict?["type"] == "Failed" && verdict?["reason"] == "DeadlineExceeded")
        // What was reached in time stays reached.
        let done = podOfJob("r", "Succeeded", finished: "2026-01-02T03:04:06Z")
        #expect(next(started, [done], after: 9).1.jobVerdict?["type"] == "Complete")
    }

    @Test func suspendedAndResumed() {
        let running = podOfJob("r", "Running")
        let started = next(job(["completions": 1]), [running]).1
        var halted = started.json
        halted[path: "spec", "suspend"] = true
        let (progress, suspended) = next(Resource(key: started.key, json: halted, version: 1), [running], after: 3)
        #expect(progress.surplus.count == 1 && suspended.status["startTime"] == nil)
        var resumed = suspended.json
        resumed[path: "spec", "suspend"] = false
        let (again, after) = next(Resource(key: started.key, json: resumed, version: 1), [], after: 60)
        #expect(again.missing == 1 && after.status["startTime"] == "2026-01-02T03:05:05Z")
        #expect(after.status["conditions"]?[0]?["status"] == "False")
    }

    @Test func indexesAreRunOnceEach() {
        let spec: JSON = ["completions": 4, "parallelism": 4, "completionMode": "Indexed"]
        let pods = [
            podOfJob("a", "Succeeded", index: 0, finished: "2026-01-02T03:04:05Z"), podOfJob("b", "Running", index: 2),
            podOfJob("c", "Succeeded", index: 1, finished: "2026-01-02T03:04:05Z"),
        ]
        let (progress, after) = next(job(spec), pods)
        #expect(progress.missingIndexes() == [3] && after.status["completedIndexes"] == "0-1")
        let pod = JobController.pod(
            of: job(["template": ["spec": ["containers": [["name": "a", "env": [["name": "X", "value": "1"]]]]]]]),
            index: 3)
        #expect(pod[path: "metadata", "generateName"] == "j-3-")
        #expect(
            pod[path: "spec", "containers"]?[0]?["env"]
                == [["name": "X", "value": "1"], ["name": "JOB_COMPLETION_INDEX", "value": "3"]])
    }

    @Test(arguments: ["", "0", "0-2", "0,2,4", "0-1,3,5-7"])
    func indexTexts(_ text: String) { #expect(JobIndexes(text).text == text) }

    @Test(arguments: ["5-3", "-1", "a", "0-99999999999", ",,", "1-"])
    func oddIndexTexts(_ text: String) { #expect(JobIndexes(text).count < 2) }
}

struct JobControllerTests {
    static let object: JSON = [
        "metadata": ["name": "train"],
        "spec": ["template": ["spec": ["restartPolicy": "Never", "containers": [["name": "a", "image": "busybox"]]]]],
    ]

    private func pods(_ store: ResourceStore) -> [Resource] { store.list(.pod, namespace: "default").items }

    @Test func aFinishedPodIsNotRunAgainAfterARestart() async throws {
        try await withStore { store, temporary in
            let made = try await store.create(.job, namespace: "default", Self.object)
            #expect(made.spec["completions"] == 1 && made.spec["backoffLimit"] == 6)
            #expect(
                made.spec["selector"]?["matchLabels"] == ["batch.kubernetes.io/controller-uid": .string(made.uid)])
            let first = Task.detached { await JobController(store: store).run() }
            #expect(await eventually { pods(store).count == 1 })
            let pod = try #require(pods(store).first)
            #expect(pod.labels["job-name"] == "train" && pod.controller?.uid == made.uid)
            first.cancel()
            await first.value
            // It ends while nobody looks.
            try await store.updateStatus(pod.key) { _ in ["phase": "Succeeded"] }
            let again = try await temporary.reopened()
            let second = Task.detached { await JobController(store: again).run() }
            #expect(await eventually { again.find(made.key)?.jobVerdict?["type"] == "Complete" })
            #expect(pods(again).map(\.uid) == [pod.uid])
            second.cancel()
            await second.value
        }
    }

    @Test func podsOfAStoppedServerAreReplacedAndNotCounted() async throws {
        try await withStore { store, _ in
            let made = try await store.create(.job, namespace: "default", Self.object)
            let running = Task.detached { await JobController(store: store).run() }
            #expect(await eventually { pods(store).count == 1 })
            let pod = try #require(pods(store).first)
            try await store.updateStatus(pod.key) { _ in ["phase": "Failed", "reason": "Terminated"] }
            #expect(await eventually { pods(store).count == 1 && pods(store).first?.uid != pod.uid })
            #expect(store.find(made.key)?.count("failed") == 0)
            running.cancel()
            await running.value
        }
    }

    @Test(
        arguments: [
            ("completionMode", "Indexed", "spec.completions"), ("podFailurePolicy", [:], "spec.podFailurePolicy"),
            ("parallelism", -1, "spec.parallelism"), ("completions", 5001, "spec.completions"),
            ("backoffLimitPerIndex", 1, "spec.backoffLimitPerIndex"), ("completionMode", "Odd", "spec.completionMode"),
            ("template", ["spec": ["containers": [["name": "a", "image": "b"]]]], "spec.template.spec.restartPolicy"),
        ] as [(String, JSON, String)])
    func refusals(_ field: String, _ value: JSON, _ named: String) {
        var object = Self.object
        object[path: "spec", field] = value
        #expect(ResourceRules.causes(.job, object).map(\.field).contains(named))
    }
}
