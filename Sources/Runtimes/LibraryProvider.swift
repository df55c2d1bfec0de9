import Synchronization

/// A native runtime's shared library, which is not part of the server.
package protocol RuntimeLibrary: AnyObject, Sendable {
    /// The folder of the runtime folder that holds it, and how its file's name begins.
    static var place: (folder: String, prefix: String) { get }
    /// What a person does when it is not installed.
    static var advice: String { get }

    /// Opens the library at `path`. Throws `RuntimeError.libraryMissing`.
    init(path: String) throws(RuntimeError)
}

/// Opens a runtime's library when the first model asks for it. A library that is installed later is found by the next
/// load.
package final class LibraryProvider<Library: RuntimeLibrary>: Sendable {
    private let explicitPath: String?
    private let folder: RuntimeFolder
    private let opened = Mutex<Library?>(nil)

    /// - Parameter explicitPath: the library's file; nil looks for it at its place in `folder`.
    package init(explicitPath: String?, folder: RuntimeFolder) {
        self.explicitPath = explicitPath
        self.folder = folder
    }

    /// The opened library; blocks while it is opened. Throws `RuntimeError.libraryMissing` with what to do.
    package func library() throws(RuntimeError) -> Library {
        let result: Result<Library, RuntimeError> = opened.withLock { opened in
            if let opened { return .success(opened) }
            let place = Library.place
            guard let path = explicitPath ?? folder.file(in: place.folder, prefix: place.prefix) else {
                return .failure(RuntimeError(.libraryMissing, Library.advice))
            }
            do throws(RuntimeError) {
                let library = try Library(path: path)
                opened = library
                return .success(library)
            } catch {
                return .failure(error)
            }
        }
        return try result.get()
    }
}
