// What clients had loaded when the server ended, so that the next one loads it again. A load is acknowledged only when
// this file says it: written beside, synced, renamed, its folder synced.

import Bytes
import Files
import Formats
import Glibc

/// The models that a client has loaded and not unloaded, kept in a file. Calls block; one at a time.
final class LoadedModels: @unchecked Sendable {
    // Touched by one load or unload at a time, on a pool thread.
    private let path: String
    /// By name: the configuration that the client sent with the load, if any.
    private(set) var configurations: [String: [UInt8]?] = [:]

    private static let bytesMax = 64 << 20

    /// Reads the file at `path`; one that is missing or broken counts as empty.
    init(path: String) {
        self.path = path
        guard let bytes = FileTools.readAll(path, bytesMax: Self.bytesMax), let document = try? JSON.parse(bytes),
            let models = document["models"]?.arrayValue
        else { return }
        for model in models {
            guard let name = model["name"]?.stringValue, ModelName.isValid(name) else { continue }
            configurations[name] = .some(model["configuration"]?.stringValue.map { Array($0.utf8) })
        }
    }

    /// Notes that `name` is loaded. False when that cannot be written, and then nothing has changed.
    func add(_ name: String, configuration: [UInt8]?) -> Bool {
        let before = configurations
        configurations[name] = .some(configuration)
        return keep(orReturnTo: before)
    }

    /// Notes that `name` is no longer loaded.
    func remove(_ name: String) -> Bool {
        guard configurations.keys.contains(name) else { return true }
        let before = configurations
        configurations[name] = nil
        return keep(orReturnTo: before)
    }

    private func keep(orReturnTo before: [String: [UInt8]?]) -> Bool {
        if FileAccess.replace(path, encoded()) { return true }
        configurations = before
        return false
    }

    private func encoded() -> [UInt8] {
        var writer = JSONWriter()
        writer.beginObject()
        writer.key("models")
        writer.beginArray()
        for (name, configuration) in configurations.sorted(by: { $0.key < $1.key }) {
            writer.beginObject()
            writer.key("name")
            writer.string(name)
            if let configuration {
                writer.key("configuration")
                writer.string(String(utf8: configuration))
            }
            writer.endObject()
        }
        writer.endArray()
        writer.endObject()
        return writer.bytes
    }
}
