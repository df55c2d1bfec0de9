import Synchronization

/// Opens ONNX Runtime when the first model asks for it. A library that is installed later is found by the next load.
package final class OnnxProvider: Sendable {
    private let explicitPath: String?
    private let folder: RuntimeFolder
    private let opened = Mutex<OnnxLibrary?>(nil)

    /// - Parameter explicitPath: the library's file; nil looks for `onnxruntime/libonnxruntime.so*` in `folder`.
    package init(explicitPath: String?, folder: RuntimeFolder) {
        self.explicitPath = explicitPath
        self.folder = folder
    }

    /// The opened library; blocks while it is opened. Throws `RuntimeError.libraryMissing` with what to do.
    package func library() throws(RuntimeError) -> OnnxLibrary {
        let result: Result<OnnxLibrary, RuntimeError> = opened.withLock { opened in
            if let opened { return .success(opened) }
            guard let path = explicitPath ?? folder.file(in: "onnxruntime", prefix: "libonnxruntime.so") else {
                return .failure(RuntimeError(.libraryMissing, Self.advice))
            }
            do throws(RuntimeError) {
                let library = try OnnxLibrary(path: path)
                opened = library
                return .success(library)
            } catch {
                return .failure(error)
            }
        }
        return try result.get()
    }

    private static let advice = """
        ONNX Runtime is not installed: run `make setup` in Slipway's folder, or name its library with --onnxruntime FILE \
        or SLIPWAY_ONNXRUNTIME
        """
}
