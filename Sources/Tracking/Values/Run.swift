/// How a run stands.
package enum RunStatus: String, Sendable {
    case running = "RUNNING"
    case scheduled = "SCHEDULED"
    case finished = "FINISHED"
    case failed = "FAILED"
    case killed = "KILLED"

    /// The number of the protocol's enumeration.
    package init?(number: Int) {
        switch number {
        case 1: self = .running
        case 2: self = .scheduled
        case 3: self = .finished
        case 4: self = .failed
        case 5: self = .killed
        default: return nil
        }
    }
}

/// One training run.
package struct RunInformation: Sendable {
    /// The store's own number; smaller than and faster to join on than `id`.
    var number: Int
    package var id: String
    package var experimentID: Int
    package var name: String
    package var user: String
    package var status: RunStatus
    package var startMilliseconds: Int
    package var endMilliseconds: Int?
    package var lifecycleStage: LifecycleStage
    package var artifactLocation: String
}

/// One value of a metric. NaN is kept; infinities are stored as the greatest finite double of their sign.
package struct MetricPoint: Sendable {
    package var key: String
    package var value: Double
    package var timestampMilliseconds: Int
    package var step: Int
    package var modelID: String?
    package var datasetName: String?
    package var datasetDigest: String?
    package var runID: String?

    package init(
        key: String, value: Double, timestampMilliseconds: Int, step: Int, modelID: String? = nil,
        datasetName: String? = nil, datasetDigest: String? = nil, runID: String? = nil
    ) {
        self.key = key
        self.value = value
        self.timestampMilliseconds = timestampMilliseconds
        self.step = step
        self.modelID = modelID
        self.datasetName = datasetName
        self.datasetDigest = datasetDigest
        self.runID = runID
    }
}

/// A data set that a run read.
package struct DatasetInput: Sendable {
    package var name: String
    package var digest: String
    package var sourceType: String
    package var source: String
    package var schema: String?
    package var profile: String?
    package var tags: [KeyText]

    package init(
        name: String, digest: String, sourceType: String, source: String, schema: String?, profile: String?,
        tags: [KeyText]
    ) {
        self.name = name
        self.digest = digest
        self.sourceType = sourceType
        self.source = source
        self.schema = schema
        self.profile = profile
        self.tags = tags
    }
}

/// A data set as the experiments of a search used it.
package struct DatasetSummary: Sendable {
    package var experimentID: Int
    package var name: String
    package var digest: String
    package var context: String?
}

/// A logged model that a run made, at a step.
package struct ModelOutput: Sendable {
    package var modelID: String
    package var step: Int

    package init(modelID: String, step: Int) {
        self.modelID = modelID
        self.step = step
    }
}

/// A run with everything logged to it; metrics hold the latest point of each key.
package struct Run: Sendable {
    package var information: RunInformation
    package var metrics: [MetricPoint]
    package var parameters: [KeyText]
    package var tags: [KeyText]
    package var datasets: [DatasetInput]
    package var modelInputs: [String]
    package var modelOutputs: [ModelOutput]
}
