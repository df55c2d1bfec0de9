/// A name in the registry with its versions' latest of each stage.
package struct RegisteredModel: Sendable {
    package var name: String
    package var creationMilliseconds: Int
    package var lastUpdateMilliseconds: Int
    package var description: String?
    package var tags: [KeyText]
    package var aliases: [ModelAlias]
    package var latestVersions: [ModelVersion]
}

/// A movable name of one version.
package struct ModelAlias: Sendable {
    package var alias: String
    package var version: Int
}

/// The four stages of the registry's older workflow.
package enum ModelStage: String, Sendable, CaseIterable {
    case none = "None"
    case staging = "Staging"
    case production = "Production"
    case archived = "Archived"

    /// The stage called `name`, compared without case.
    package init?(name: String) {
        guard let stage = Self.allCases.first(where: { $0.rawValue.lowercased() == name.lowercased() }) else {
            return nil
        }
        self = stage
    }
}

/// One version of a registered model. Its number is never given out again, even after deletion.
package struct ModelVersion: Sendable {
    package var name: String
    package var version: Int
    package var creationMilliseconds: Int
    package var lastUpdateMilliseconds: Int
    package var description: String?
    package var user: String?
    package var stage: ModelStage
    package var source: String
    package var runID: String?
    package var runLink: String?
    package var modelID: String?
    package var tags: [KeyText]
    package var aliases: [String]
}
