// Where a served model comes from: served version - registry version - run - workflow step - objects. The values here are
// what the servers said, read from their public answers; who is asked stands in LineageGatherer.swift.

import Clock
import Formats

/// Everything that is known of one model's origin.
struct Lineage: Sendable {
    /// The name that was asked for.
    let model: String
    /// One for each version that is shown; never empty.
    var chains: [LineageChain]
    /// How many pairs of a served and a registered version there are, shown or not.
    var versionCount: Int
}

/// One version, from the server that answers with it back to the bytes.
struct LineageChain: Sendable {
    var served: Part<ServedVersion>
    /// What ties the served version to the registry's; nil when one of the two is missing.
    var link: String?
    var version: Part<RegistryVersion>
    /// The step that registered the version; nil when no tag of the version names one.
    var maker: Part<WorkflowStep>?
    /// Nil without a registry version.
    var run: Part<TrackedRun>?
    /// The step that made the run; nil without a run.
    var step: Part<WorkflowStep>?
    var objects: [ObjectGroup] = []
}

/// One ready version of a model on an inference server.
struct ServedVersion: Sendable, Equatable {
    let model: String
    let version: String
    /// The server's HTTP address.
    var url = ""

    /// `mnist/3`: what the tag `slipway.served` says.
    var name: String { "\(model)/\(version)" }
}

/// A version of a registered model.
struct RegistryVersion: Sendable, Equatable {
    let name: String
    let version: String
    var source = ""
    var runID = ""
    var created: WallTime?
    var aliases: [String] = []
    /// Empty or `None` where stages are not used.
    var stage = ""
    var tags: [String: String] = [:]

    /// The served version that its tag names.
    var servedName: String? { tags[LineageTags.served] }
}

/// A run of the tracking server.
struct TrackedRun: Sendable {
    let id: String
    var name = ""
    var status = ""
    var isDeleted = false
    var experimentID = ""
    var experiment = ""
    var started: WallTime?
    var finished: WallTime?
    var artifactLocation = ""
    var parameters: [(key: String, value: String)] = []
    var metrics: [(key: String, value: Double)] = []
    /// `name (source)` of the data sets that the run says it read.
    var dataSets: [String] = []
    var tags: [String: String] = [:]
}

/// A step of a workflow, or a pod on its own.
struct WorkflowStep: Sendable, Equatable {
    var origin: StepOrigin
    /// Of the step, or of the pod where there is no workflow.
    var phase = ""
    var workflowPhase = ""
    var started: WallTime?
    var finished: WallTime?
    var image = ""
}

/// What the tags of a run or a version say of the step that made it.
struct StepOrigin: Sendable, Equatable {
    /// `namespace/name`.
    var workflow: String?
    /// The step as the workflow names it, such as `train`.
    var step: String?
    /// `namespace/name`.
    var pod: String?
    /// Of the workflow, or of the pod where there is none: the name may be another one's by now.
    var uid: String?

    /// Nil when no tag says anything.
    init?(tags: [String: String]) {
        workflow = tags[LineageTags.workflow]
        step = tags[LineageTags.step]
        pod = tags[LineageTags.pod]
        uid = tags[LineageTags.uid]
        if workflow == nil, pod == nil { return nil }
    }
}

/// The tags that tie the parts together. Steps here set the first four on their runs by themselves (the cluster gives
/// each pod `MLFLOW_RUN_CONTEXT`); anyone's script may set any of them on a run or on a version.
enum LineageTags {
    static let workflow = "slipway.workflow"
    static let step = "slipway.step"
    static let pod = "slipway.pod"
    static let uid = "slipway.uid"
    /// Places in the object store, with spaces between them.
    static let objects = "slipway.objects"
    /// On a version: `MODEL/VERSION` as the inference server names what is served of it.
    static let served = "slipway.served"
}

/// What lies at one place.
struct ObjectGroup: Sendable, Equatable {
    enum Role: String, Sendable {
        case version, run, artifacts
    }

    let role: Role
    /// `s3://bucket/prefix`, or `mlflow-artifacts:/...` behind the tracking server.
    let location: String
    let listing: Part<ObjectListing>
}

/// The objects of one place; the first are kept by name.
struct ObjectListing: Sendable, Equatable {
    static let keptCountMax = 20

    struct Entry: Sendable, Equatable {
        let key: String
        let bytes: Int64
        /// Nil where the server that was asked says none.
        let etag: String?
    }

    private(set) var kept: [Entry] = []
    private(set) var count = 0
    private(set) var bytes: Int64 = 0
    /// False when there were more than were asked for.
    var isComplete = true

    mutating func add(_ entry: Entry) {
        if kept.count < Self.keptCountMax { kept.append(entry) }
        count += 1
        bytes &+= entry.bytes
    }
}
