/// What a download or a load came to.
package struct PackReport: Sendable {
    /// The file that was fetched; nil for a load from the local folder.
    package var file: PackFile?
    /// The storage it came from.
    package var storage: String?
    /// The model that serves now, such as `20201104.zip`; nil after a download of sources.
    package var model: String?
    /// The model that served before, when there was one.
    package var replaced: String?
    package var warnings: [String] = []
    package var seconds = 0.0
}

/// What a pack is doing, for health checks and the answer of `/`.
package struct PackState: Sendable {
    package var model: String?
    package var python: String?
    package var warnings: [String] = []
    /// True when a request would be answered now.
    package var isServing: Bool
    /// Why the last load failed or why nothing is loaded; nil when all is well.
    package var failure: String?
}
