import Formats
import Testing

@testable import Cluster

struct RollingUpdateTests {
    private func rules(_ replicas: Int64, _ surge: JSON, _ unavailable: JSON) -> RollingUpdate {
        RollingUpdate(spec: [
            "replicas": .int(replicas),
            "strategy": ["rollingUpdate": ["maxSurge": surge, "maxUnavailable": unavailable]],
        ])
    }

    @Test(
        arguments: [
            (4, "25%", "25%", 1, 1), (3, "25%", "25%", 1, 0), (10, "30%", "15%", 3, 1), (2, 0, 0, 0, 1),
            (1, 1, 0, 1, 0),
        ] as [(Int64, JSON, JSON, Int, Int)])
    func amounts(_ replicas: Int64, _ surge: JSON, _ unavailable: JSON, _ surgeMax: Int, _ unavailableMax: Int) {
        let rules = rules(replicas, surge, unavailable)
        #expect(rules.surgeMax == surgeMax && rules.unavailableMax == unavailableMax)
    }

    /// Plays a rollout in which every new pod becomes available after a step, and checks the bounds at each.
    @Test(arguments: [(3, 1, 0), (3, 0, 1), (10, 3, 2), (1, 1, 0), (5, 5, 5)] as [(Int64, Int64, Int64)])
    func aRolloutStaysWithinItsBoundsAndEnds(_ replicas: Int64, _ surge: Int64, _ unavailable: Int64) {
        let rules = rules(replicas, .int(surge), .int(unavailable))
        let wanted = Int(replicas)
        var old = ReplicaCounts(replicas: wanted, available: wanted)
        var new = ReplicaCounts(replicas: 0, available: 0)
        for _ in 0..<100 {
            new.replicas = rules.nextOfNew(new, old: [old])
            old.replicas = rules.nextOfOld([old], new: new)[0]
            old.available = min(old.available, old.replicas)
            #expect(new.replicas + old.replicas <= wanted + rules.surgeMax)
            #expect(new.available + old.available >= wanted - rules.unavailableMax)
            new.available = new.replicas
        }
        #expect(new.replicas == wanted && old.replicas == 0)
    }

    @Test func whatDoesNotWorkGoesFirst() {
        let rules = rules(3, 1, 1)
        let old = [ReplicaCounts(replicas: 3, available: 3), ReplicaCounts(replicas: 1, available: 0)]
        let sizes = rules.nextOfOld(old, new: ReplicaCounts(replicas: 0, available: 0))
        #expect(sizes[1] == 0 && sizes[0] >= 2)
    }

    @Test func templatesAreNamedByTheirContent() {
        let one: JSON = ["metadata": ["labels": ["a": "b"]], "spec": ["x": 1, "y": [1, 2]]]
        let same: JSON = [
            "spec": ["y": [1, 2], "x": 1], "metadata": ["labels": ["a": "b", "pod-template-hash": "h"]],
        ]
        let other: JSON = ["metadata": ["labels": ["a": "b"]], "spec": ["x": 1, "y": [2, 1]]]
        #expect(PodTemplate.hash(one) == PodTemplate.hash(same) && PodTemplate.areEqual(one, same))
        #expect(PodTemplate.hash(one) != PodTemplate.hash(other) && PodTemplate.hash(one).count == 10)
    }
}
