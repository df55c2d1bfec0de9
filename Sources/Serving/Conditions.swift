import Clock
import Formats

/// The `conditions` of a status as Knative and KServe write them; the time of one that stays as it was is kept.
struct Conditions {
    private let previous: [JSON]
    private(set) var list: [JSON] = []

    init(previous: JSON?) { self.previous = previous?.arrayValue ?? [] }

    /// - Parameter holds: nil is `Unknown`.
    mutating func set(_ type: String, _ holds: Bool?, reason: String = "", _ message: String = "") {
        let value = holds.map { $0 ? "True" : "False" } ?? "Unknown"
        let before = previous.first { $0["type"]?.stringValue == type }
        var entry: JSON = ["type": .string(type), "status": .string(value)]
        entry["lastTransitionTime"] =
            before?["status"]?.stringValue == value
            ? before?["lastTransitionTime"] : .string(WallTime.now.iso8601())
        if !reason.isEmpty { entry["reason"] = .string(reason) }
        if !message.isEmpty { entry["message"] = .string(message) }
        list.append(entry)
    }

    var json: JSON { .array(list) }
}
