/// Whether a run or experiment is in use or in the bin.
package enum LifecycleStage: String, Sendable {
    case active, deleted
}

/// Which lifecycle stages a search covers.
package enum ViewType: Sendable {
    case activeOnly, deletedOnly, all
}

/// A key and its text: tags and parameters.
package struct KeyText: Sendable, Equatable {
    package var key: String
    package var value: String

    package init(key: String, value: String) {
        self.key = key
        self.value = value
    }
}

/// A named group of runs.
package struct Experiment: Sendable {
    package var id: Int
    package var name: String
    package var artifactLocation: String
    package var lifecycleStage: LifecycleStage
    package var creationMilliseconds: Int
    package var lastUpdateMilliseconds: Int
    package var tags: [KeyText]
}

/// One page of results and where the next begins; nil at the end.
package struct Page<Element: Sendable>: Sendable {
    package var elements: [Element]
    package var nextPageToken: String?
}
