package import HTTP

/// One entry of an artifact folder.
package struct ArtifactEntry: Sendable {
    /// The last path component.
    var name: String
    var isFolder: Bool
    /// Nil for folders.
    var size: Int64?
}

/// Where artifact bytes are kept: a folder or an S3 bucket. Paths are relative, checked, and empty for the root.
package protocol ArtifactStore: Sendable {
    /// The entries of the folder `path`, by name; none when it is missing or a file.
    func list(_ path: String) async throws -> [ArtifactEntry]
    /// The bytes of a file. Throws `.missing` when there is none.
    func read(_ path: String) async throws -> (length: Int?, body: ResponseBody)
    /// Stores a file, making its folders; it is durable when this returns. An older file is replaced at once.
    func write(_ path: String, _ body: RequestBody) async throws
    /// Deletes a file, or a folder with all in it.
    func delete(_ path: String) async throws
}
