import Synchronization

/// Opens OpenVINO when the first model asks for it. A library that is installed later is found by the next load.
package final class OpenVINOProvider: Sendable {
    private let explicitPath: String?
    private let folder: RuntimeFolder
    private let opened = Mutex<OpenVINOLibrary?>(nil)

    /// - Parameter explicitPath: the library's file; nil looks for `openvino/libopenvino_c.so*` in `folder`.
    package init(explicitPath: String?, folder: RuntimeFolder) {
        self.explicitPath = explicitPath
        self.folder = folder
    }

    /// The opened library; blocks while it is opened. Throws `RuntimeError.libraryMissing` with what to do.
    package func library() throws(RuntimeError) -> OpenVINOLibrary {
        let result: Result<OpenVINOLibrary, RuntimeError> = opened.withLock { opened in
            if let opened { return .success(opened) }
            guard let path = explicitPath ?? folder.file(in: "openvino", prefix: "libopenvino_c.so") else {
                return .failure(RuntimeError(.libraryMissing, Self.advice))
            }
            do throws(RuntimeError) {
                let library = try OpenVINOLibrary(path: path)
                opened = library
                return .success(library)
            } catch {
                return .failure(error)
            }
        }
        return try result.get()
    }

    private static let advice = """
        OpenVINO, which runs TensorFlow models, is not installed: run `make setup` in Slipway's folder, or name \
        libopenvino_c.so with --openvino FILE or SLIPWAY_OPENVINO
        """
}
