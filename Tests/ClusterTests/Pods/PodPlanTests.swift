import Formats
import Runner
import Testing

@testable import Cluster

struct PodPlanTests {
    private let folders = ClusterFolders(data: "/data")

    private func pod(_ spec: JSON, annotations: JSON = [:]) -> Resource {
        let json: JSON = [
            "metadata": ["name": "p", "namespace": "ns", "uid": "u", "annotations": annotations, "labels": ["a": "b"]],
            "spec": spec,
        ]
        return Resource(key: ResourceKey(.pod, namespace: "ns", name: "p"), json: json, version: 1)
    }

    private func resource(_ kind: ResourceKind, _ name: String, _ content: JSON) -> Resource {
        var json = content
        json["metadata"] = ["name": .string(name), "namespace": "ns", "uid": "id"]
        return Resource(key: ResourceKey(kind, namespace: "ns", name: name), json: json, version: 1)
    }

    private func plan(_ spec: JSON, annotations: JSON = [:], isolation: Isolation = .namespaces) throws -> PodPlan {
        var table = ImageTable()
        var environment = ImageEnvironment()
        environment.path = ["/images/bin"]
        environment.entrypoint = ["entry"]
        environment.command = ["standard"]
        table.add("tool", environment)
        environment.folders = ["/data/cluster/images", "/opt/tool"]
        table.add("folders", environment)
        var settings = PodSettings(folders: folders, images: table)
        settings.hostPaths = ["/srv/shared"]
        let map = resource(.configMap, "map", ["data": ["k": "v", "other": "w"]])
        let secret = resource(.secret, "secret", ["data": ["password": "c2VjcmV0"]])
        let claim = resource(.persistentVolumeClaim, "claim", ["spec": ["storageClassName": "standard"]])
        let references = PodReferences(
            configMap: { $0 == "map" ? map : nil }, secret: { $0 == "secret" ? secret : nil },
            claim: { $0 == "claim" ? claim : nil }, serviceAccount: { _ in nil })
        return try PodPlan(
            pod: pod(spec, annotations: annotations), references: references, settings: settings, isolation: isolation)
    }

    private func container(_ extra: JSON = [:]) -> JSON {
        var container: JSON = ["name": "main", "image": "tool:1"]
        for (key, value) in extra.objectValue ?? JSONObject() { container[key] = value }
        return container
    }

    @Test func commandsAndArguments() throws {
        func line(_ extra: JSON) throws -> [String] {
            try plan(["containers": [container(extra)]]).containers[0].specification.arguments
        }
        #expect(try line([:]) == ["entry", "standard"])
        #expect(try line(["args": ["x"]]) == ["entry", "x"])
        #expect(try line(["command": ["y"]]) == ["y"])
        #expect(
            try line(["command": ["y"], "args": ["$(A)-$$(A)-$(NONE)"], "env": [["name": "A", "value": "1"]]])
                == ["y", "1-$(A)-$(NONE)"])
    }

    /// Volumes go over the image's folders, but for those that would vanish in one.
    @Test(arguments: [
        ("/data", ["/opt/tool", "/data", "/data/cluster/images"]),
        ("/opt/tool", ["/data/cluster/images", "/opt/tool", "/opt/tool"]),
        ("/opt/tool/part", ["/data/cluster/images", "/opt/tool", "/opt/tool/part"]),
        ("/dat", ["/data/cluster/images", "/opt/tool", "/dat"]),
    ])
    func foldersOfTheImageStayVisible(_ path: String, _ targets: [String]) throws {
        let spec: JSON = [
            "volumes": [["name": "v", "emptyDir": [:]]],
            "containers": [
                container(["image": "folders", "volumeMounts": [["name": "v", "mountPath": .string(path)]]])
            ],
        ]
        #expect(try plan(spec).containers[0].specification.mounts.map(\.target) == targets)
    }

    @Test func environment() throws {
        let spec: JSON = [
            "containers": [
                container([
                    "envFrom": [["configMapRef": ["name": "map"], "prefix": "M_"]],
                    "env": [
                        ["name": "SECRET", "valueFrom": ["secretKeyRef": ["name": "secret", "key": "password"]]],
                        ["name": "POD", "valueFrom": ["fieldRef": ["fieldPath": "metadata.name"]]],
                        ["name": "LABEL", "valueFrom": ["fieldRef": ["fieldPath": "metadata.labels['a']"]]],
                        ["name": "BOTH", "value": "$(SECRET)/$(M_k)"],
                    ],
                ])
            ]
        ]
        let variables = Dictionary(
            try plan(spec).containers[0].specification.environment.map { ($0.name, $0.value) }, uniquingKeysWith: { $1 }
        )
        #expect(variables["BOTH"] == "secret/v" && variables["POD"] == "p" && variables["LABEL"] == "b")
        #expect(variables["PATH"]?.hasPrefix("/images/bin:") == true)
        // What ties MLflow's runs to the pod is there unless the container says something else.
        #expect(variables[RunContext.variable]?.contains("\"slipway.pod\":\"ns/p\"") == true)
        let own = try plan([
            "containers": [container(["env": [["name": .string(RunContext.variable), "value": "{}"]]])]
        ])
        let values = own.containers[0].specification.environment.filter { $0.name == RunContext.variable }.map(\.value)
        #expect(values == ["{}"])
    }

    @Test(
        arguments: [
            (["containers": [["name": "main", "image": "none:1"]]], "ImagePullBackOff"),
            (
                [
                    "containers": [
                        [
                            "name": "main", "image": "tool",
                            "env": [["name": "A", "valueFrom": ["configMapKeyRef": ["name": "none", "key": "k"]]]],
                        ]
                    ]
                ], "configmap \"none\" not found"
            ),
            (
                [
                    "containers": [["name": "main", "image": "tool"]],
                    "volumes": [["name": "v", "persistentVolumeClaim": ["claimName": "none"]]],
                ],
                "persistentvolumeclaim \"none\" not found"
            ),
            (
                [
                    "containers": [["name": "main", "image": "tool"]],
                    "volumes": [["name": "v", "hostPath": ["path": "/srv/shared/../../etc"]]],
                ],
                "is not among the folders"
            ),
            (
                ["containers": [["name": "main", "image": "tool"]], "volumes": [["name": "v", "nfs": [:]]]],
                "nfs is not supported here"
            ),
            (
                ["containers": [["name": "main", "image": "tool"]], "serviceAccountName": "who"],
                "serviceaccount \"who\" not found"
            ),
            (
                [
                    "containers": [
                        [
                            "name": "main", "image": "tool",
                            "volumeMounts": [["name": "v", "mountPath": "/m", "subPath": "../\u{301}x"]],
                        ]
                    ], "volumes": [["name": "v", "emptyDir": [:]]],
                ], "without \"..\""
            ),
        ] as [(JSON, String)])
    func faults(_ spec: JSON, _ words: String) {
        do {
            _ = try plan(spec)
            Issue.record("planned: \(spec)")
        } catch {
            #expect("\(error)".contains(words), "\(error)")
        }
    }

    @Test func volumes() throws {
        let spec: JSON = [
            "containers": [
                container([
                    "volumeMounts": [
                        ["name": "data", "mountPath": "/data/in", "subPath": "a/b"],
                        ["name": "map", "mountPath": "/map"],
                        ["name": "scratch", "mountPath": "/data"],
                        ["name": "host", "mountPath": "/host", "readOnly": true],
                    ]
                ])
            ],
            "volumes": [
                ["name": "data", "persistentVolumeClaim": ["claimName": "claim"]],
                ["name": "map", "configMap": ["name": "map", "items": [["key": "k", "path": "sub/file"]]]],
                ["name": "scratch", "emptyDir": [:]], ["name": "host", "hostPath": ["path": "/srv/shared/x"]],
            ],
        ]
        let mounts = try plan(spec).containers[0].specification.mounts
        #expect(mounts.map(\.target) == ["/data", "/data/in", "/host", "/map"])
        #expect(mounts[1].source == "/data/cluster/volumes/ns_claim_id" && mounts[1].subPath == "a/b")
        #expect(mounts[3].isReadOnly && mounts[2].isReadOnly && !mounts[0].isReadOnly)
        #expect(throws: PodFault.self) { try plan(spec, isolation: .plain) }
    }

    @Test func imageNames() {
        #expect(ImageTable.name(of: "docker.io/library/python:3.12@sha256:00") == "python")
        #expect(ImageTable.name(of: "localhost:5000/tr-ex-job:v1.0") == "localhost:5000/tr-ex-job")
        #expect(ImageTable.name(of: "busybox") == "busybox")
        var table = ImageTable()
        #expect(throws: Never.self) { try table.add(file: ["images": ["team/*": ["path": ["/x"]]]]) }
        #expect(table.environment(of: "team/a:1")?.path == ["/x"])
        #expect(throws: ClusterError.self) { try table.add(file: ["images": ["a": ["paths": []]]]) }
    }
}
