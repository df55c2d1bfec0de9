import Formats
import Testing

@testable import Cluster

struct ResourceRequestTests {
    private let object: JSON = [
        "status": ["phase": "Ready", "succeeded": 2, "conditions": [["type": "Available", "status": "True"]]],
        "metadata": ["name": "x"],
    ]

    @Test(arguments: [
        ("status.succeeded > 1", true), ("status.succeeded > 2", false), ("status.succeeded < 3", true),
        ("status.phase == Ready", true), ("status.phase=Ready,status.succeeded==2", true),
        ("status.phase != Ready", false), ("status.none != x", true), ("status.none", false), ("status.phase", true),
        ("status.conditions.0.status == True", true), ("status.conditions.1.status == True", false),
        ("status.phase > 1", false),
    ])
    func conditions(_ text: String, _ holds: Bool) throws {
        #expect(try ResourceCondition(text).holds(for: object) == holds)
    }

    @Test(arguments: ["", ",", "= x", "a b == c"])
    func conditionsThatCannotBeRead(_ text: String) {
        #expect(throws: WorkflowFault.self) { try ResourceCondition(text) }
    }

    @Test func manifestsHoldSeveralObjects() throws {
        let request = try ResourceRequest([
            "action": "apply", "manifest": "a: 1\n---\nb: 2\n---\n", "successCondition": "status.phase == Ready",
        ])
        #expect(request.objects == [["a": 1], ["b": 2]] && request.verb == .apply)
    }

    @Test(
        arguments: [
            ["action": "explode", "manifest": "a: 1"], ["action": "create"], ["action": "create", "manifest": "{"],
            ["action": "patch", "manifest": "a: 1", "mergeStrategy": "strategic"],
            ["action": "create", "manifest": "a: 1", "flags": ["--x"]],
        ] as [JSON])
    func whatIsNotCarriedOutIsNamed(_ template: JSON) {
        #expect(throws: WorkflowFault.self) { try ResourceRequest(template) }
    }
}
