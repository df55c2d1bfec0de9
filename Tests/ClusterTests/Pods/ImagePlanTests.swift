import Formats
import Runner
import Testing

@testable import Cluster
@testable import Images
@testable import OCI

/// What a container of a pulled image is given.
struct ImagePlanTests {
    private static let digest = "sha256:" + String(repeating: "0a", count: 32)

    private func plan(
        _ container: JSON = [:], pod more: JSON = [:], user: String = "", isolation: Isolation = .namespaces
    ) throws -> ContainerPlan {
        var configuration = ImageConfiguration([
            "Env": ["PATH=/opt/bin", "MODE=image"], "Entrypoint": ["entry"], "Cmd": ["standard"], "WorkingDir": "/srv",
        ])
        configuration.user = user
        let image = PulledImage(
            digest: try #require(Digest(Self.digest)), configuration: configuration, layerFolder: "/layers",
            layers: ["top", "base"],
            user: ImageUser.Database(
                users: "root:x:0:0::/root:/bin/sh\napp:x:1000:1001::/home/app:/bin/sh\n", groups: "extra:x:7:app\n"))
        var main: JSON = ["name": "main", "image": "localhost:5000/a:v1"]
        for (key, value) in container.objectValue ?? JSONObject() { main[key] = value }
        var spec: JSON = ["containers": [main]]
        for (key, value) in more.objectValue ?? JSONObject() { spec[key] = value }
        let json: JSON = ["metadata": ["name": "p", "namespace": "ns", "uid": "u"], "spec": spec]
        let none = PodReferences(
            configMap: { _ in nil }, secret: { _ in nil }, claim: { _ in nil }, serviceAccount: { _ in nil })
        return try PodPlan(
            pod: Resource(key: ResourceKey(.pod, namespace: "ns", name: "p"), json: json, version: 1),
            references: none, settings: PodSettings(folders: ClusterFolders(data: "/data"), images: ImageTable()),
            isolation: isolation, pulled: ["localhost:5000/a:v1": image]
        ).containers[0]
    }

    private var hasRuntime: Bool { StepImage.findRuntime() != nil }

    @Test func theImageSaysWhatThePodDoesNot() throws {
        try #require(hasRuntime, "runc is part of the set-up")
        let made = try plan(["env": [["name": "MODE", "value": "pod"]]])
        let step = made.specification
        #expect(step.arguments == ["entry", "standard"] && step.workingDirectory == "/srv")
        let variables = Dictionary(step.environment.map { ($0.name, $0.value) }) { $1 }
        #expect(variables["PATH"] == "/opt/bin" && variables["MODE"] == "pod" && variables["HOME"] == "/root")
        #expect(variables["HOSTNAME"] == "p" && variables["POD_IP"] != nil && variables["LANG"] == nil)
        #expect(step.hidden.isEmpty && step.mounts.isEmpty)
        #expect(step.image?.layers == ["top", "base"] && step.image?.container == "u-main")
        #expect(made.isPulled && made.imageID == "localhost:5000/a@\(Self.digest)")
        #expect(try plan(["command": ["sh"]]).specification.arguments == ["sh"])
    }

    @Test func usersOfImageAndPod() throws {
        try #require(hasRuntime)
        let own = try plan(user: "app").specification
        #expect(own.user == 1000 && own.group == 1001 && own.image?.additionalGroups == [7])
        let pods = try plan(
            ["securityContext": ["runAsUser": 5]],
            pod: ["securityContext": ["runAsGroup": 6, "supplementalGroups": [8]]],
            user: "app"
        ).specification
        #expect(pods.user == 5 && pods.group == 6 && pods.image?.additionalGroups == [8])
        #expect(throws: PodFault.self) { try plan(user: "stranger") }
        #expect(throws: PodFault.self) { try plan(["securityContext": ["runAsNonRoot": true]]) }
        #expect(try plan(["securityContext": ["runAsNonRoot": true]], user: "app").specification.user == 1000)
    }

    @Test func capabilities() throws {
        try #require(hasRuntime)
        func image(_ security: JSON) throws -> StepImage {
            try #require(try plan(["securityContext": security]).specification.image)
        }
        #expect(try image([:]).capabilities == StepImage.standardCapabilities)
        let few = try image(["capabilities": ["drop": ["ALL"], "add": ["NET_BIND_SERVICE", "NONSENSE"]]])
        #expect(few.capabilities == ["CAP_NET_BIND_SERVICE"])
        let most = try image(["capabilities": ["add": ["ALL"], "drop": ["CAP_CHOWN"]]])
        #expect(most.capabilities.contains("CAP_SYS_ADMIN") && !most.capabilities.contains("CAP_CHOWN"))
        #expect(try image(["readOnlyRootFilesystem": true]).isReadOnly)
        #expect(try !image(["allowPrivilegeEscalation": false]).mayGainPrivileges)
        #expect(throws: PodFault.self) { try image(["privileged": true]) }
    }

    @Test(arguments: [Isolation.plain, .userNamespace])
    func aServerThatIsNotRootSaysSo(_ isolation: Isolation) {
        let fault = #expect(throws: PodFault.self) { try plan(isolation: isolation) }
        guard case .waiting("main", "CreateContainerError", let message)? = fault else {
            Issue.record("\(String(describing: fault))")
            return
        }
        #expect(message.contains("root") && message.contains("images.json"))
    }
}
