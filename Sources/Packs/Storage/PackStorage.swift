/// A place that packs are kept in, laid out as `PackLayout` says.
package protocol PackStorage: Sendable {
    /// The place for a person: `s3://packs`, without a credential.
    var name: String { get }

    /// The names in a folder, such as `test_model/model`; empty when there is none. Throws `storageFailed`.
    func names(_ folder: String) async throws(PackError) -> [String]

    /// Copies a file, such as `test_model/src/test_model.zip`; false when there is none.
    /// Throws `storageFailed`, or what the file throws.
    func fetch(_ path: String, into file: IncomingFile) async throws(PackError) -> Bool
}
