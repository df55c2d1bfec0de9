import Foundation

/// A folder that lives as long as the test that made it.
package final class TemporaryFolder: Sendable {
    package let path: String

    package init() {
        path = FileManager.default.temporaryDirectory.appendingPathComponent("slipway-\(UUID().uuidString)").path
        try? FileManager.default.createDirectory(atPath: path, withIntermediateDirectories: true)
    }

    deinit { try? FileManager.default.removeItem(atPath: path) }

    /// The names in the folder itself, in no order.
    package var names: [String] { (try? FileManager.default.contentsOfDirectory(atPath: path)) ?? [] }

    /// Paths of the files below `name`, relative to the folder, sorted.
    package func files(in name: String) -> [String] {
        let root = "\(path)/\(name)"
        let all = FileManager.default.enumerator(atPath: root)?.allObjects as? [String] ?? []
        return all.filter { item in
            var isFolder: ObjCBool = false
            _ = FileManager.default.fileExists(atPath: "\(root)/\(item)", isDirectory: &isFolder)
            return !isFolder.boolValue
        }.map { "\(name)/\($0)" }.sorted()
    }

    /// Flips one bit of a file.
    package func damage(_ file: String, at offset: Int) throws {
        var data = try Data(contentsOf: URL(fileURLWithPath: "\(path)/\(file)"))
        data[offset] ^= 1
        let handle = try FileHandle(forWritingTo: URL(fileURLWithPath: "\(path)/\(file)"))
        try handle.write(contentsOf: data)
        try handle.close()
    }
}
