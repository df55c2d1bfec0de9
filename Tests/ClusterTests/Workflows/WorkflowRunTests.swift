import Clock
import Formats
import Testing

@testable import Cluster

/// Runs workflows without processes: the test says how each pod ends.
private struct Simulation {
    var run: WorkflowRun
    var time = WallTime(seconds: 1_800_000_000)
    /// Pods that were asked for and have not ended, by node id.
    var pending: [String] = []
    /// Every pod that was asked for, by the name of its node.
    var started: [String] = []
    var manifests: [String: JSON] = [:]
    var stops: [String] = []

    init(_ spec: JSON) {
        run = WorkflowRun(workflow: Self.resource(spec), now: time) { map, key in
            map == "map" && key == "key" ? "from map" : nil
        }
        advance()
    }

    static func resource(_ spec: JSON, status: JSON? = nil) -> Resource {
        var json: JSON = ["metadata": ["name": "wf", "namespace": "ns", "uid": "u"], "spec": spec]
        json["status"] = status
        return Resource(key: ResourceKey(.workflow, namespace: "ns", name: "wf"), json: json, version: 1)
    }

    mutating func advance(seconds: Int64 = 0) {
        time = time.advanced(seconds: seconds)
        for _ in 0..<50 {
            var isDue = false
            for action in run.advance(at: time) {
                switch action {
                case .createPod(_, let manifest):
                    let annotations = manifest["metadata"]?["annotations"]
                    let id = annotations?[WorkflowLabels.nodeID]?.stringValue ?? ""
                    pending.append(id)
                    started.append(annotations?[WorkflowLabels.nodeName]?.stringValue ?? "")
                    manifests[id] = manifest
                case .stopPod(let name): stops.append(name)
                case .createClaim: break
                case .manageResource(let nodeID, _): pending.append(nodeID)
                case .wake(let due): if due <= time { isDue = true }
                }
            }
            if !isDue { return }
        }
        Issue.record("the workflow asks to be advanced without end")
    }

    mutating func end(
        _ nodeName: String, exitCode: Int = 0, result: String = "", _ collected: [WorkflowRun.Collected?] = []
    ) {
        let id = NodeIdentity.id(workflow: "wf", name: nodeName)
        pending.removeAll { $0 == id }
        var ended = WorkflowRun.PodResult(phase: exitCode == 0 ? .succeeded : .failed, started: time, finished: time)
        ended.exitCode = exitCode
        ended.result = Array(result.utf8)
        ended.collected = collected
        run.podEnded(id, ended)
        advance()
    }

    func phase(_ nodeName: String) -> WorkflowNode.Phase? { run.node(named: nodeName)?.phase }
}

private let say: JSON = [
    "name": "say", "inputs": ["parameters": [["name": "text", "default": "nothing"]]],
    "container": ["image": "busybox", "command": ["echo", "{{inputs.parameters.text}}"]],
]

private func step(_ name: String, _ extra: JSON = [:], text: String? = nil) -> JSON {
    var step: JSON = ["name": .string(name), "template": "say"]
    if let text { step["arguments"] = ["parameters": [["name": "text", "value": .string(text)]]] }
    for (key, value) in extra.objectValue ?? JSONObject() { step[key] = value }
    return step
}

private func spec(steps: [JSON], _ extra: JSON = [:]) -> JSON {
    var spec: JSON = ["entrypoint": "main", "templates": [["name": "main", "steps": .array(steps)], say]]
    for (key, value) in extra.objectValue ?? JSONObject() { spec[key] = value }
    return spec
}

private func dag(_ tasks: [JSON], failFast: Bool = true) -> JSON {
    [
        "entrypoint": "main",
        "templates": [["name": "main", "dag": ["tasks": .array(tasks), "failFast": .bool(failFast)]], say],
    ]
}

struct WorkflowRunTests {
    @Test func aGroupWaitsForTheOneBefore() {
        var simulation = Simulation(
            spec(steps: [[step("a")], [step("b", text: "{{steps.a.outputs.result}}"), step("c")]]))
        #expect(simulation.started == ["wf[0].a"])
        simulation.end("wf[0].a", result: "x\n")
        #expect(simulation.started == ["wf[0].a", "wf[1].b", "wf[1].c"])
        let manifest = simulation.manifests[NodeIdentity.id(workflow: "wf", name: "wf[1].b")]
        #expect(manifest?["spec"]?["containers"]?[0]?["command"] == ["echo", "x"])
        simulation.end("wf[1].c")
        #expect(!simulation.run.isDone)
        simulation.end("wf[1].b")
        #expect(simulation.run.phase == .succeeded)
        #expect(simulation.run.status()["progress"] == "3/3")
    }

    @Test func aFailureEndsTheWorkflowAfterItsGroup() {
        var simulation = Simulation(spec(steps: [[step("a"), step("b")], [step("c")]]))
        simulation.end("wf[0].a", exitCode: 3)
        #expect(!simulation.run.isDone)
        simulation.end("wf[0].b")
        #expect(simulation.run.phase == .failed)
        #expect(simulation.started.count == 2)
        #expect(simulation.run.node(named: "wf[0].a")?.outputs?["exitCode"] == "3")
    }

    @Test func continueOn() {
        var simulation = Simulation(spec(steps: [[step("a", ["continueOn": ["failed": true]])], [step("b")]]))
        simulation.end("wf[0].a", exitCode: 1)
        simulation.end("wf[1].b")
        #expect(simulation.run.phase == .succeeded)
    }

    @Test func loopsAndConditions() {
        var simulation = Simulation(
            spec(steps: [
                [
                    step("items", ["withItems": ["a", 2]], text: "{{item}}"),
                    step("maps", ["withItems": [["os": "x"], ["os": "y"]], "when": "{{item.os}} == x"]),
                    step("count", ["withSequence": ["count": "2", "format": "n%02X"]], text: "{{item}}"),
                    step("none", ["withParam": "[]"]),
                ],
                [step("sum", text: "{{steps.items.outputs.result}}")],
            ]))
        #expect(simulation.phase("wf[0].maps(1:os:y)") == .skipped)
        #expect(simulation.started.contains("wf[0].count(1:n01)"))
        for name in simulation.started { simulation.end(name, result: name.contains("items") ? "{\"n\":1}" : "") }
        let id = NodeIdentity.id(workflow: "wf", name: "wf[1].sum")
        #expect(simulation.manifests[id]?["spec"]?["containers"]?[0]?["command"]?[1] == "[{\"n\":1},{\"n\":1}]")
    }

    @Test func templatesWithFaultsAreErrorsThatSayWhy() {
        for (change, words) in [
            ([step("a", text: "{{steps.none.outputs.result}}")], "failed to resolve {{steps.none.outputs.result}}"),
            ([step("a", ["withParam": "no list"])], "could not be parsed as a JSON list"),
            ([step("a", ["withSequence": ["count": 1_000_000_000]])], "is more than"),
            ([step("a", ["when": "a =="])], "invalid 'when' expression"),
        ] as [([JSON], String)] {
            let simulation = Simulation(spec(steps: [.array(change)]))
            #expect(simulation.run.phase == .error)
            let messages = simulation.run.nodes.values.map(\.message) + [simulation.run.message]
            #expect(messages.contains { $0.contains(words) }, "\(messages)")
        }
    }

    @Test func recursionEnds() {
        let simulation = Simulation([
            "entrypoint": "main", "templates": [["name": "main", "steps": [[["name": "again", "template": "main"]]]]],
        ])
        #expect(simulation.run.phase == .error)
        #expect(simulation.run.node(named: "wf[0].again") != nil)
    }

    @Test func unsupportedFieldsAreNamed() {
        for (spec, words) in [
            (["hooks": [:]], "spec.hooks is not supported here"), (["entrypoint": "x"], "template name 'x' undefined"),
            (["colour": "red"], "spec.colour is not a field"),
        ] as [(JSON, String)] {
            let simulation = Simulation(extended(spec))
            #expect(simulation.run.phase == .error)
            #expect(simulation.run.message.contains(words))
        }
    }

    private func extended(_ extra: JSON) -> JSON { spec(steps: [[step("a")]], extra) }

    @Test func retries() {
        var template = say
        template["retryStrategy"] = ["limit": "2", "backoff": ["duration": "10", "factor": 2]]
        var simulation = Simulation(["entrypoint": "say", "templates": [template]])
        #expect(simulation.started == ["wf(0)"])
        simulation.end("wf(0)", exitCode: 1)
        #expect(simulation.started.count == 1, "it waits 10 s")
        simulation.advance(seconds: 10)
        #expect(simulation.started == ["wf(0)", "wf(1)"])
        simulation.end("wf(1)", exitCode: 1)
        simulation.advance(seconds: 19)
        #expect(simulation.started.count == 2, "it waits 20 s")
        simulation.advance(seconds: 1)
        simulation.end("wf(2)", exitCode: 1)
        #expect(simulation.run.phase == .failed)
        #expect(simulation.run.message == "No more retries left")
    }

    @Test func diamondsOmitAndFailFast() {
        let tasks: [JSON] = [
            step("A"), step("B", ["dependencies": ["A"]]), step("C", ["depends": "A.Succeeded"]),
            step("D", ["depends": "B && C"]), step("E", ["depends": "B.Failed"]),
        ]
        var simulation = Simulation(dag(tasks))
        simulation.end("wf.A")
        #expect(Set(simulation.started) == ["wf.A", "wf.B", "wf.C"])
        simulation.end("wf.B")
        #expect(simulation.phase("wf.E") == .omitted)
        simulation.end("wf.C")
        simulation.end("wf.D")
        #expect(simulation.run.phase == .succeeded)

        var failing = Simulation(dag(tasks))
        failing.end("wf.A")
        failing.end("wf.B", exitCode: 1)
        #expect(failing.started.contains("wf.E"))
        failing.end("wf.C")
        failing.end("wf.E")
        #expect(failing.phase("wf.D") == .omitted)
        #expect(failing.run.phase == .failed)
    }

    @Test func failFastStartsNothingNew() {
        let tasks: [JSON] = [step("A"), step("B"), step("C", ["dependencies": ["B"]])]
        for failsFast in [true, false] {
            var simulation = Simulation(dag(tasks, failFast: failsFast))
            simulation.end("wf.A", exitCode: 1)
            simulation.end("wf.B")
            #expect(simulation.started.contains("wf.C") == !failsFast)
            if !failsFast { simulation.end("wf.C") }
            #expect(simulation.run.phase == .failed)
        }
    }

    @Test func cyclesAndUnknownTasks() {
        for tasks in [[step("A", ["depends": "B"]), step("B", ["depends": "A"])], [step("A", ["depends": "none"])]]
            as [[JSON]]
        {
            let simulation = Simulation(dag(tasks))
            #expect(simulation.run.phase == .error && simulation.started.isEmpty)
        }
    }

    @Test func parallelismHoldsPodsBack() {
        var simulation = Simulation(spec(steps: [[step("s", ["withItems": [1, 2, 3]])]], ["parallelism": 2]))
        #expect(simulation.pending.count == 2)
        simulation.end("wf[0].s(0:1)")
        #expect(simulation.started.count == 3)
        simulation.end("wf[0].s(1:2)")
        simulation.end("wf[0].s(2:3)")
        #expect(simulation.run.phase == .succeeded)
    }

    @Test func exitHandlersSeeTheStatus() {
        var exit = say
        exit["name"] = "exit"
        exit["container"] = ["image": "busybox", "command": ["echo", "{{workflow.status}} {{workflow.failures}}"]]
        var simulation = Simulation(["entrypoint": "say", "onExit": "exit", "templates": [say, exit]])
        simulation.end("wf", exitCode: 1)
        #expect(!simulation.run.isDone)
        let id = NodeIdentity.id(workflow: "wf", name: "wf.onExit")
        let text = simulation.manifests[id]?["spec"]?["containers"]?[0]?["command"]?[1]?.stringValue ?? ""
        #expect(text.hasPrefix("Failed [{"))
        simulation.end("wf.onExit")
        #expect(simulation.run.phase == .failed)
    }

    @Test func deadlineStopsPods() {
        var simulation = Simulation(spec(steps: [[step("a")]], ["activeDeadlineSeconds": 30]))
        simulation.advance(seconds: 30)
        #expect(simulation.run.phase == .failed && simulation.stops.count == 1)
        #expect(simulation.run.message == "Max duration limit exceeded")
    }

    @Test func suspendWaits() {
        var simulation = Simulation([
            "entrypoint": "wait", "templates": [["name": "wait", "suspend": ["duration": "1m"]]],
        ])
        #expect(!simulation.run.isDone)
        simulation.advance(seconds: 60)
        #expect(simulation.run.phase == .succeeded)
    }

    @Test func outputsOfFiles() {
        var make = say
        make["outputs"] = [
            "parameters": [
                ["name": "p", "valueFrom": ["path": "/tmp/p"], "globalName": "g"],
                ["name": "q", "valueFrom": ["path": "/tmp/q", "default": "standard"]],
            ]
        ]
        var simulation = Simulation(["entrypoint": "say", "templates": [make]])
        simulation.end("wf", [.text(Array("value\n".utf8)), nil])
        #expect(simulation.run.phase == .succeeded)
        #expect(simulation.run.status()["outputs"] == ["parameters": [["name": "g", "value": "value"]]])
        var missing = Simulation(["entrypoint": "say", "templates": [make]])
        missing.end("wf", [nil, nil])
        #expect(missing.run.phase == .error)
        #expect(missing.run.message.contains("/tmp/p does not exist"))
    }

    /// After a crash the run is made again from the status; finished pods are not asked for again.
    @Test func aRunGoesOnFromItsStatus() {
        var simulation = Simulation(
            spec(steps: [[step("a")], [step("b", text: "{{steps.a.outputs.result}}"), step("c")]]))
        simulation.end("wf[0].a", result: "x")
        simulation.end("wf[1].c")
        let resource = Simulation.resource(simulation.run.spec, status: simulation.run.status())
        var again = WorkflowRun(workflow: resource, now: simulation.time) { _, _ in nil }
        let actions = again.advance(at: simulation.time)
        #expect(actions.count == 1)
        guard case .createPod(let name, let manifest)? = actions.first else {
            Issue.record("expected one pod")
            return
        }
        #expect(name == NodeIdentity.podName(workflow: "wf", template: "say", name: "wf[1].b"))
        #expect(manifest["spec"]?["containers"]?[0]?["command"]?[1] == "x")
        again.podEnded(
            NodeIdentity.id(workflow: "wf", name: "wf[1].b"),
            .init(phase: .succeeded, started: simulation.time, finished: simulation.time))
        _ = again.advance(at: simulation.time)
        #expect(again.phase == .succeeded)
    }

    @Test func parametersFromConfigMaps() {
        let simulation = Simulation(
            spec(
                steps: [[step("a", text: "{{workflow.parameters.p}}")]],
                [
                    "arguments": [
                        "parameters": [["name": "p", "valueFrom": ["configMapKeyRef": ["name": "map", "key": "key"]]]]
                    ]
                ]))
        #expect(simulation.manifests.values.first?["spec"]?["containers"]?[0]?["command"]?[1] == "from map")
    }
}
