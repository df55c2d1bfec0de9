import EventLoop
import Files

/// A place that holds models: a folder of folders, or a prefix of a bucket with the same layout.
protocol ModelSource: Sendable {
    /// The names of the models there, sorted. A place that does not exist holds none.
    func names() async throws(InferenceError) -> [String]

    /// A text that changes when a file of the model changes; nil when there is no such model.
    func fingerprint(_ name: String) async throws(InferenceError) -> String?

    /// The model as a local folder; nil when there is no such model.
    func open(_ name: String) async throws(InferenceError) -> ModelFolder?
}

/// A model's files on this machine. A copy is removed with the last reference: a loaded model does not need them.
final class ModelFolder: Sendable {
    let path: String
    private let isCopy: Bool

    init(path: String, isCopy: Bool) {
        self.path = path
        self.isCopy = isCopy
    }

    deinit { if isCopy { FileTools.removeTree(path) } }
}

/// Models in a local folder.
struct FolderSource: ModelSource {
    let path: String
    let pool: BlockingPool

    func names() async throws(InferenceError) -> [String] {
        try await blocking { [path] in
            FileTools.names(in: path).filter {
                ModelName.isValid($0) && !$0.hasPrefix(".") && FileAccess.attributes("\(path)/\($0)")?.isFolder == true
            }
        }
    }

    func fingerprint(_ name: String) async throws(InferenceError) -> String? {
        try await blocking { [path] in
            let folder = "\(path)/\(name)"
            guard FileAccess.attributes(folder)?.isFolder == true else { return nil }
            var text = ""
            Self.describe(folder, depth: 0, into: &text)
            return text
        }
    }

    func open(_ name: String) async throws(InferenceError) -> ModelFolder? {
        try await blocking { [path] in
            let folder = "\(path)/\(name)"
            return FileAccess.attributes(folder)?.isFolder == true ? ModelFolder(path: folder, isCopy: false) : nil
        }
    }

    private static func describe(_ folder: String, depth: Int, into text: inout String) {
        guard depth < 4 else { return }
        for name in FileTools.names(in: folder).prefix(1000) {
            guard let attributes = FileAccess.attributes("\(folder)/\(name)") else { continue }
            if attributes.isFolder {
                text += "\(name)/("
                describe("\(folder)/\(name)", depth: depth + 1, into: &text)
                text += ")"
            } else {
                text += "\(name)=\(attributes.size)@\(attributes.modifiedNanoseconds);"
            }
        }
    }

    private func blocking<Value: Sendable>(
        _ body: @escaping @Sendable () -> Value
    ) async throws(InferenceError) -> Value {
        do {
            return try await pool.run { body() }
        } catch {
            throw InferenceError(.overloaded, "too many repository operations wait; try again later")
        }
    }
}
