// How many replicas the old and the new ReplicaSets of a Deployment are to have next. Pure, so that every step of a
// rollout can be tested without a pod.

import Formats

/// The replicas of one ReplicaSet, asked for and available.
struct ReplicaCounts: Equatable, Sendable {
    var replicas: Int
    var available: Int
}

/// The rules of a rolling update.
struct RollingUpdate: Equatable, Sendable {
    let replicas: Int
    let surgeMax: Int
    let unavailableMax: Int

    /// Reads `spec.replicas` and `spec.strategy.rollingUpdate`. Percentages count of the replicas: the surge rounds up,
    /// the unavailable round down, and both may not be 0.
    init(spec: JSON) {
        replicas = max(0, Int(clamping: spec["replicas"]?.intValue ?? 1))
        let rolling = spec["strategy"]?["rollingUpdate"]
        let surge = Self.amount(rolling?["maxSurge"], of: replicas, roundsUp: true)
        let unavailable = Self.amount(rolling?["maxUnavailable"], of: replicas, roundsUp: false)
        surgeMax = surge
        unavailableMax = surge == 0 && unavailable == 0 ? 1 : min(unavailable, replicas)
    }

    static func amount(_ value: JSON?, of replicas: Int, roundsUp: Bool) -> Int {
        if let number = value?.intValue { return max(0, Int(clamping: number)) }
        let text = value?.stringValue ?? "25%"
        guard text.hasSuffix("%"), let percent = Int(text.dropLast()), (0...100).contains(percent) else { return 0 }
        return roundsUp ? (replicas * percent + 99) / 100 : replicas * percent / 100
    }

    /// The new set's next size.
    func nextOfNew(_ new: ReplicaCounts, old: [ReplicaCounts]) -> Int {
        if new.replicas >= replicas { return replicas }
        let total = new.replicas + old.reduce(0) { $0 + $1.replicas }
        let room = replicas + surgeMax - total
        return room <= 0 ? new.replicas : min(replicas, new.replicas + room)
    }

    /// The old sets' next sizes, oldest first: what does not work goes first, then as much as availability allows.
    func nextOfOld(_ old: [ReplicaCounts], new: ReplicaCounts) -> [Int] {
        var sizes = old.map(\.replicas)
        let total = new.replicas + sizes.reduce(0, +)
        let availableMin = replicas - unavailableMax
        var room = total - availableMin - max(0, new.replicas - new.available)
        guard room > 0 else { return sizes }
        for index in sizes.indices {
            let broken = min(max(0, old[index].replicas - old[index].available), room)
            sizes[index] -= broken
            room -= broken
        }
        let available = new.available + old.reduce(0) { $0 + min($1.available, $1.replicas) }
        var spare = min(room, available - availableMin)
        for index in sizes.indices where spare > 0 {
            let part = min(sizes[index], spare)
            sizes[index] -= part
            spare -= part
        }
        return sizes
    }
}
