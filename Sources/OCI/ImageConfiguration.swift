import Bytes
package import Formats

/// What an image says about the processes that run in it (OCI image specification, "Image Configuration").
package struct ImageConfiguration: Sendable, Equatable {
    package var environment: [(name: String, value: String)] = []
    package var entrypoint: [String] = []
    package var command: [String] = []
    package var workingDirectory: String?
    /// `USER[:GROUP]`, names or numbers; empty is root.
    package var user = ""

    /// The longest configuration that is read.
    package static let bytesMax = 4 << 20

    package init() {}

    /// Reads a configuration blob. Throws when the image is for another machine than Linux on `architecture`.
    package init(_ bytes: [UInt8], architecture: String) throws(ImageDocumentError) {
        guard let json = try? JSON.parse(bytes), json.objectValue != nil else {
            throw ImageDocumentError("its configuration is not a JSON object")
        }
        let system = json["os"]?.stringValue ?? "linux"
        let machine = json["architecture"]?.stringValue ?? architecture
        guard system == "linux", machine == architecture else {
            throw ImageDocumentError("it is for \(system)/\(machine) and this machine is linux/\(architecture)")
        }
        self.init(json["config"] ?? [:])
    }

    /// The `config` member alone.
    package init(_ config: JSON) {
        func texts(_ key: String) -> [String] { (config[key]?.arrayValue ?? []).compactMap(\.stringValue) }
        for variable in texts("Env") {
            let parts = variable.pieces(by: "=", maxSplits: 1, omittingEmptySubsequences: false)
            environment.append((String(parts[0]), parts.count > 1 ? String(parts[1]) : ""))
        }
        entrypoint = texts("Entrypoint")
        command = texts("Cmd")
        if let folder = config["WorkingDir"]?.stringValue, !folder.isEmpty { workingDirectory = folder }
        user = config["User"]?.stringValue ?? ""
    }

    /// The `config` member, as `init` reads it.
    package var json: JSON {
        func texts(_ values: [String]) -> JSON { .array(values.map { .string($0) }) }
        return [
            "Env": texts(environment.map { "\($0.name)=\($0.value)" }), "Entrypoint": texts(entrypoint),
            "Cmd": texts(command), "WorkingDir": .string(workingDirectory ?? ""), "User": .string(user),
        ]
    }

    package static func == (left: ImageConfiguration, right: ImageConfiguration) -> Bool { left.json == right.json }
}
