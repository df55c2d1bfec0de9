import Foundation

/// The files of the repository, read where this test was compiled.
enum Tree {
    static let root = URL(fileURLWithPath: #filePath)
        .deletingLastPathComponent().deletingLastPathComponent().deletingLastPathComponent()

    struct File {
        /// Relative to the root, such as `Sources/Bytes/Hex.swift`.
        let path: String
        let text: String
        var lines: [Substring] { text.split(separator: "\n", omittingEmptySubsequences: false) }
        /// The target that a file below `Sources` belongs to.
        var target: String { String(path.split(separator: "/")[1]) }
    }

    /// Every file below `folder` with one of `extensions`, in order of its path.
    static func files(_ folder: String, _ extensions: Set<String>) throws -> [File] {
        let base = root.appendingPathComponent(folder)
        guard let paths = FileManager.default.subpaths(atPath: base.path) else { return [] }
        return try paths.sorted().filter { path in
            extensions.contains(String(path.split(separator: ".").last ?? "")) && !path.contains("__pycache__")
        }.map { path in
            File(
                path: "\(folder)/\(path)",
                text: try String(contentsOf: base.appendingPathComponent(path), encoding: .utf8))
        }
    }

    static func text(_ path: String) throws -> String {
        try String(contentsOf: root.appendingPathComponent(path), encoding: .utf8)
    }
}

/// What Package.swift says: each target with the targets it may import.
struct Manifest {
    private(set) var dependencies: [String: Set<String>] = [:]

    init() throws {
        let text = try Tree.text("Package.swift")
        for layer in text.matches(of: /layer\(\s*"(\w+)"(?:,\s*\[([^\]]*)\])?\s*\)/) {
            dependencies[String(layer.1)] = Self.names(layer.2 ?? "")
        }
        for target in text.matches(of: /(?:\.target|systemLibrary)\(\s*(?:name: )?"(\w+)"/)
        where dependencies[String(target.1)] == nil {
            dependencies[String(target.1)] = []
        }
        let executable = /executableTarget\(\s*name: "(\w+)", dependencies: \[([^\]]*)\]/
        for target in text.matches(of: executable) { dependencies[String(target.1)] = Self.names(target.2) }
    }

    private static func names(_ list: Substring) -> Set<String> {
        Set(list.matches(of: /"(\w+)"/).map { String($0.1) })
    }
}
