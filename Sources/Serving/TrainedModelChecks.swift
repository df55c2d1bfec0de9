// What KServe asks of a TrainedModel before it is loaded.

import Cluster
import Formats

/// Memory that TrainedModels of one service may still ask for, handed out in the order they were made.
struct MemoryBudget {
    private let limit: Int64?
    private var used: Int64 = 0

    init(limit: Int64?) { self.limit = limit }

    /// Nil when `bytes` fit and are taken, else how many are left.
    mutating func take(_ bytes: Int64) -> Int64? {
        let (sum, overflow) = used.addingReportingOverflow(bytes)
        if let limit, overflow || sum > limit { return max(0, limit - used) }
        used = overflow ? .max : sum
        return nil
    }

    /// Models that were served before, then older objects: times are whole seconds, and a newcomer of the same second must
    /// not push out what serves.
    static func comesBefore(_ left: Resource, _ right: Resource) -> Bool {
        let served = [left, right].map { $0.status["url"] != nil }
        if served[0] != served[1] { return served[0] }
        let times = [left, right].map { $0.metadata["creationTimestamp"]?.stringValue ?? "" }
        return times[0] == times[1] ? left.name < right.name : times[0] < times[1]
    }
}

/// The conditions of one TrainedModel that its own fields and its service decide.
struct TrainedModelChecks {
    private let isFrameworkSupported: Bool
    private let isForManyModels: Bool
    private let bytesLeft: Int64?
    private let framework: String
    private let service: String
    private let format: String

    init(_ model: Resource, plan: PredictorPlan, service: Resource, memory: inout MemoryBudget) {
        framework = model.spec[path: "model", "framework"]?.stringValue ?? ""
        format = plan.format
        self.service = service.name
        isFrameworkSupported = plan.format == "triton" || plan.format == framework
        isForManyModels = plan.storageURI == nil
        let asked = model.spec[path: "model", "memory"].flatMap(PredictorPlan.quantity)?.units ?? 0
        bytesLeft = isFrameworkSupported && isForManyModels ? memory.take(asked) : nil
    }

    var areMet: Bool { fault == nil }

    /// The first that does not hold.
    var fault: (reason: String, message: String)? {
        if !isForManyModels {
            return (
                "NotMultiModel",
                """
                Inference Service "\(service)" names a storageUri itself and takes no TrainedModels; leave its storageUri out
                """
            )
        }
        if !isFrameworkSupported {
            return (
                "FrameworkNotSupported",
                "Inference Service \"\(service)\" serves \(format) models, not framework \"\(framework)\""
            )
        }
        if let bytesLeft {
            return (
                "MemoryNotAvailable",
                """
                Inference Service "\(service)" has \(bytesLeft) bytes of memory left for TrainedModels; ask for less, or raise \
                its limits
                """
            )
        }
        return nil
    }

    func write(_ conditions: inout Conditions) {
        let fault = fault
        func entry(_ type: String, _ holds: Bool) {
            conditions.set(type, holds, reason: holds ? "" : fault?.reason ?? "", holds ? "" : fault?.message ?? "")
        }
        entry("FrameworkSupported", isFrameworkSupported)
        entry("IsMMSPredictor", isForManyModels)
        entry("MemoryResourceAvailable", bytesLeft == nil)
    }
}
