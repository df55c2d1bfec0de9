// Images and what stands in for them. A step may run as a local process, and then an image is a name for an environment of
// the host: which programs come first in PATH, which variables are set, what runs when the pod names no command. An image
// that is not in the table comes from a registry; without one, the pod reports ImagePullBackOff and says what could be
// done.

package import Formats

/// What the host offers in place of an image.
package struct ImageEnvironment: Sendable, Equatable {
    /// Folders before the host's own in `PATH`.
    package var path: [String] = []
    /// `$(POD_IP)` in a value, and the other variables that every container has, are filled in.
    package var variables: [(name: String, value: String)] = []
    /// Runs when the container names no `command`.
    package var entrypoint: [String] = []
    /// Follows `entrypoint` when the container names neither `command` nor `args`.
    package var command: [String] = []
    /// Folders that the step must see, read-only, wherever they lie on the host.
    package var folders: [String] = []
    package var workingDirectory: String?

    package init() {}

    package static func == (left: ImageEnvironment, right: ImageEnvironment) -> Bool {
        left.path == right.path && left.entrypoint == right.entrypoint && left.command == right.command
            && left.folders == right.folders && left.workingDirectory == right.workingDirectory
            && left.variables.elementsEqual(right.variables, by: ==)
    }
}

/// Finds the environment of an image by its name; tags and digests are not told apart.
package struct ImageTable: Sendable {
    /// Patterns and environments, first match wins. A pattern is a name, or a prefix followed by `*`.
    package private(set) var rows: [(pattern: String, environment: ImageEnvironment)] = []

    package init() {}

    package mutating func add(_ pattern: String, _ environment: ImageEnvironment) {
        rows.append((pattern, environment))
    }

    package func environment(of image: String) -> ImageEnvironment? {
        let name = Self.name(of: image)
        for (pattern, environment) in rows {
            if pattern == name { return environment }
            if pattern.hasSuffix("*"), name.hasPrefix(pattern.dropLast()) { return environment }
        }
        return nil
    }

    /// The name without registry default, tag and digest: `docker.io/library/python:3.12@sha256:..` is `python`.
    package static func name(of image: String) -> String {
        var name = image[...]
        if let at = name.firstIndex(of: "@") { name = name[..<at] }
        // A colon before the last slash is a port.
        if let colon = name.lastIndex(of: ":"), !name[colon...].contains("/") { name = name[..<colon] }
        for prefix in ["docker.io/library/", "library/", "docker.io/", "quay.io/"] where name.hasPrefix(prefix) {
            name = name.dropFirst(prefix.count)
            break
        }
        return String(name)
    }

    /// Why `image` cannot run here and what to do about it.
    package func refusal(of image: String) -> String {
        var known: [String] = []
        for row in rows where !known.contains(row.pattern) { known.append(row.pattern) }
        return
            "image \"\(image)\" is not in the image table of this server; push it to a registry and write that before the "
            + "name (localhost:5000/NAME), add it to images.json in the cluster's data folder, or use one of: "
            + known.prefix(40).joined(separator: ", ")
    }
}

extension ImageTable {
    /// Adds the rows of a table file: `{"images": {"NAME": {"path": [..], "environment": {..}, "entrypoint": [..],
    /// "command": [..], "folders": [..], "workingDirectory": ".."}}}`. Throws `ClusterError` naming the entry at fault.
    package mutating func add(file: JSON) throws(ClusterError) {
        guard let images = file["images"]?.objectValue else {
            throw ClusterError(.badRequest, "images.json: expected an object with the member \"images\"")
        }
        for (name, entry) in images {
            let known: Set = ["path", "environment", "entrypoint", "command", "folders", "workingDirectory"]
            guard let members = entry.objectValue else {
                throw ClusterError(.badRequest, "images.json: \"\(name)\" must be an object")
            }
            if let unknown = members.keys.first(where: { !known.contains($0) }) {
                throw ClusterError(
                    .badRequest,
                    "images.json: \"\(name)\" has the unknown member \"\(unknown)\"; known are "
                        + known.sorted().joined(separator: ", "))
            }
            var environment = ImageEnvironment()
            func texts(_ key: String) -> [String] { (entry[key]?.arrayValue ?? []).compactMap(\.stringValue) }
            environment.path = texts("path")
            environment.entrypoint = texts("entrypoint")
            environment.command = texts("command")
            environment.folders = texts("folders")
            environment.workingDirectory = entry["workingDirectory"]?.stringValue
            for (key, value) in entry["environment"]?.objectValue ?? JSONObject() {
                environment.variables.append((key, value.stringValue ?? ""))
            }
            add(name, environment)
        }
    }
}
