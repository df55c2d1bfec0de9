import Formats
import Testing

@testable import Cluster

/// The tags that MLflow's clients in a pod put on their runs.
struct RunContextTests {
    private func tags(labels: JSON = [:], annotations: JSON = [:], owners: [JSON] = []) throws -> JSON {
        let metadata: JSON = [
            "name": "p", "namespace": "ns", "uid": "own", "labels": labels, "annotations": annotations,
            "ownerReferences": .array(owners),
        ]
        let pod = Resource(
            key: ResourceKey(.pod, namespace: "ns", name: "p"), json: ["metadata": metadata], version: 1)
        return try JSON.parse(Array(RunContext.text(of: pod).utf8))
    }

    @Test func aStepNamesItsWorkflow() throws {
        let step = try tags(
            labels: ["workflows.argoproj.io/workflow": "flow"],
            annotations: ["workflows.argoproj.io/node-name": "flow[1].train"], owners: [["uid": "flow-uid"]])
        #expect(
            step == [
                "slipway.workflow": "ns/flow", "slipway.step": "train", "slipway.pod": "ns/p",
                "slipway.uid": "flow-uid",
            ])
    }

    @Test func aPodAloneNamesItself() throws {
        #expect(try tags() == ["slipway.pod": "ns/p", "slipway.uid": "own"])
    }

    @Test(arguments: [
        ("flow", "flow"), ("flow[0].train", "train"), ("flow[0].outer[2].inner", "inner"), ("flow.task", "task"),
        ("flow[0].train(0:a.b)", "train(0:a.b)"), ("flow[0].outer(1:x.y)[0].inner", "inner"), ("flow[0].a(0)", "a(0)"),
        ("other[0].train", "other[0].train"),
    ])
    func theStepIsTheLastName(node: String, name: String) {
        #expect(RunContext.displayName(ofNode: node, workflow: "flow") == name)
    }
}
