import Objects
import RegistryAPI

extension Command {
    /// `slipway registry`: the container registry.
    static let registry = Command(
        name: "registry", summary: "container registry (OCI distribution)",
        details: """
            Keeps container images for docker, podman, buildah and skopeo. On 127.0.0.1 everybody on this machine may push and
            pull, as with a local registry of Docker's; on another address the root user's name and secret are asked for.
            """,
        settings: CommonSettings.ofRole + [RegistrySettings.port.declaration, RegistrySettings.login.declaration],
        examples: [
            ("slipway registry", "A registry on port 5000"),
            ("podman push --tls-verify=false localhost:5000/tr-ex-job:v1.0", "An image into it"),
            ("curl http://localhost:5000/v2/_catalog", "What is in it"),
        ],
        run: runRegistry)
}

enum RegistrySettings {
    static let port = Setting<Int>.port(
        "port", environment: ["SLIPWAY_REGISTRY_PORT"], default: 5000, help: "Port of the registry.")

    static let login = Setting<String>.choice(
        "login", environment: ["SLIPWAY_REGISTRY_LOGIN"], default: "auto", of: ["auto", "always", "never"],
        help:
            "Whether the root user's name and secret are asked for; auto asks where other machines can reach the port.")
}

private func runRegistry(_ invocation: Invocation) async throws -> Int32 {
    let settings = invocation.settings
    let data = settings[CommonSettings.data]
    let folder = "\(data)/registry"
    try Folder.make(folder)
    var role = RegistryRole(
        folder: folder, address: settings[CommonSettings.address], port: settings[RegistrySettings.port])
    let isLocal = role.address.hasPrefix("127.") || role.address == "::1"
    if settings[RegistrySettings.login] == "always" || (settings[RegistrySettings.login] == "auto" && !isLocal) {
        let root = try RootCredential.resolve(settings, folder: data)
        role.registry.credential = (root.user, root.password)
        if root.isNew { Output.line("root user \(root.user), password \(root.password) (kept in \(data), shown once)") }
    }
    let configured = role
    return try await RoleRunner.run("registry") {
        do {
            return RunningRole(servers: [("registry", try await configured.start())])
        } catch let error as ObjectError {
            throw CommandFailure(
                "cannot open the registry in \(folder): \(error.message)",
                hint: StoreFolderHint.text(error, folder: folder, another: "with --data"))
        }
    }
}
