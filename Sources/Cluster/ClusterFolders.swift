// Where the controllers keep what is not an object: processes, volumes, logs, outputs. All below the role's own folder.

/// Paths of the cluster role's files. Absolute.
package struct ClusterFolders: Sendable {
    /// `<data>/cluster`.
    package let root: String
    /// The platform's data folder, which steps do not see.
    package let data: String

    package init(data: String) {
        self.data = data
        root = data + "/cluster"
    }

    var runner: String { root + "/runner" }
    var images: String { root + "/images" }
    /// Images of registries.
    var pulled: String { root + "/pulled" }
    var imageTable: String { root + "/images.json" }
    var volumes: String { root + "/volumes" }
    var pods: String { root + "/pods" }
    var names: String { root + "/names" }
    var artifacts: String { root + "/artifacts" }
    /// Models of InferenceServices.
    package var serving: String { root + "/serving" }

    /// Names are checked by the store, so none can lead elsewhere; the uid keeps a recreated object apart.
    func claim(namespace: String, name: String, uid: String) -> String { "\(volumes)/\(namespace)_\(name)_\(uid)" }
    func pod(namespace: String, name: String, uid: String) -> String { "\(pods)/\(namespace)_\(name)_\(uid)" }

    func pod(_ pod: Resource) -> String { self.pod(namespace: pod.namespace, name: pod.name, uid: pod.uid) }

    func container(_ pod: Resource, _ container: String, attempt: Int) -> String {
        "\(self.pod(pod))/containers/\(container)/\(attempt)"
    }
}
