import Bytes
import Cluster
import Database
import Formats
import Foundation
import HTTP
import Server
import ServerTesting
import Testing

@testable import KubernetesAPI

@Suite struct APITests {
    private func withAPI(_ mode: TestMode = .inProcess, _ body: (any TestClient, ResourceStore) async throws -> Void)
        async throws
    {
        let folder = FileManager.default.temporaryDirectory.appending(path: "api-\(Randomness.hexID())")
        try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
        defer { try? FileManager.default.removeItem(at: folder) }
        let database = try Database(path: folder.path + "/cluster.db", migrations: ResourceStore.migrations)
        let store = try await ResourceStore.open(database: database)
        try await ClusterFurniture.install(in: store, version: "v1")
        let api = KubernetesAPI(store: store, tokens: [("right", "admin")])
        try await withTestClient(mode, handler: api.handler) { try await body($0, store) }
        await database.close()
    }

    private let admin: HTTPFields = ["Authorization": "Bearer right", "Content-Type": "application/json"]

    private func call(
        _ client: any TestClient, _ method: HTTPMethod, _ target: String, _ body: JSON? = nil, type: String? = nil,
        accept: String? = nil
    ) async throws -> (status: Int, json: JSON) {
        var fields = admin
        if let type { fields["Content-Type"] = type }
        if let accept { fields["Accept"] = accept }
        let response = try await client.execute(method, target, fields: fields, body: body?.encoded ?? [])
        return (response.status, (try? JSON.parse(response.body)) ?? .null)
    }

    private let collection = "/api/v1/namespaces/default/configmaps"
    private let settings: JSON = [
        "apiVersion": "v1", "kind": "ConfigMap", "metadata": ["name": "settings"], "data": ["a": "1"],
    ]

    @Test(arguments: TestMode.allCases)
    func tokens(_ mode: TestMode) async throws {
        try await withAPI(mode) { client, _ in
            for fields in [
                [:], ["Authorization": "Bearer wrong"], ["Authorization": "Basic right"], ["Authorization": "Bearer "],
            ] as [HTTPFields] {
                let refused = try await client.execute(.get, "/api/v1/pods", fields: fields, body: [])
                #expect(refused.status == 401 && refused.text.contains("\"reason\":\"Unauthorized\""))
                for open in ["/healthz", "/livez", "/readyz", "/version"] {
                    #expect(try await client.execute(.get, open, fields: fields, body: []).status == 200)
                }
            }
            #expect(try await call(client, .get, "/api/v1/pods").status == 200)
        }
    }

    @Test(arguments: TestMode.allCases)
    func lifeOfAnObject(_ mode: TestMode) async throws {
        try await withAPI(mode) { client, _ in
            let made = try await call(client, .post, collection, settings)
            #expect(made.status == 201)
            #expect(try await call(client, .post, collection, settings).json["reason"] == "AlreadyExists")
            let list = try await call(client, .get, collection)
            #expect(list.json["kind"] == "ConfigMapList" && list.json["items"]?.arrayValue?.count == 1)
            var changed = made.json
            changed[path: "data", "a"] = "2"
            #expect(try await call(client, .put, collection + "/settings", changed).status == 200)
            let stale = try await call(client, .put, collection + "/settings", made.json)
            #expect(stale.status == 409 && stale.json["reason"] == "Conflict")
            let gone = try await call(client, .delete, collection + "/settings")
            #expect(gone.json["status"] == "Success")
            let missing = try await call(client, .get, collection + "/settings")
            #expect(missing.status == 404 && missing.json["message"] == "configmaps \"settings\" not found")
        }
    }

    @Test func refusals() async throws {
        try await withAPI { client, _ in
            var wrong = settings
            wrong["odd"] = 1
            let strict = try await call(client, .post, collection + "?fieldValidation=Strict", wrong)
            #expect(strict.status == 400)
            #expect(
                strict.json["message"]
                    == "ConfigMap in version \"v1\" cannot be handled as a ConfigMap: strict decoding error: unknown field \"odd\""
            )
            let warned = try await client.execute(
                .post, collection + "?fieldValidation=Warn&dryRun=All", fields: admin, body: wrong.encoded)
            #expect(warned.status == 201 && warned.fields["Warning"] == "299 - \"unknown field \\\"odd\\\"\"")
            for (method, target, body, status) in [
                (.get, "/api/v1/odds", nil, 404), (.get, "/apis/none/v1/pods", nil, 404), (.get, "/nothing", nil, 404),
                (.get, "/api/v1/namespaces/default/nodes", nil, 404), (.post, "/api/v1/configmaps", settings, 405),
                (.put, collection, settings, 405), (.get, collection + "?labelSelector=a+in+(", nil, 400),
                (.get, collection + "?fieldSelector=data=x", nil, 400), (.get, collection + "?watch=maybe", nil, 400),
                (.post, collection, ["kind": "Pod", "apiVersion": "v1"], 400), (.post, collection, [], 400),
                (.post, collection + "?dryRun=Some", settings, 400),
                (.post, "/api/v1/namespaces/none/configmaps", settings, 404),
                (.get, collection + "/settings/status", nil, 404), (.get, collection + "/a%2Fb", nil, 400),
            ] as [(HTTPMethod, String, JSON?, Int)] {
                let answer = try await call(client, method, target, body)
                #expect(
                    answer.status == status && answer.json["kind"] == "Status", "\(method.name) \(target): \(answer)")
            }
            let media = try await call(client, .post, collection, settings, type: "text/csv")
            #expect(media.status == 415 && media.json["reason"] == "UnsupportedMediaType")
        }
    }

    @Test func tables() async throws {
        try await withAPI { client, _ in
            let accept = "application/json;as=Table;v=v1;g=meta.k8s.io,application/json"
            let table = try await call(client, .get, "/api/v1/namespaces", accept: accept)
            #expect(table.json["kind"] == "Table" && table.json["apiVersion"] == "meta.k8s.io/v1")
            let names = table.json["columnDefinitions"]?.arrayValue?.compactMap { $0["name"]?.stringValue }
            #expect(names == ["Name", "Status", "Age"])
            #expect(table.json["rows"]?[0]?["cells"]?[0] == "default")
            let partial = try await call(
                client, .get, "/api/v1/namespaces",
                accept: "application/json;as=PartialObjectMetadataList;g=meta.k8s.io;v=v1")
            #expect(partial.json["kind"] == "PartialObjectMetadataList" && partial.json["items"]?[0]?["spec"] == nil)
        }
    }

    @Test func discovery() async throws {
        try await withAPI { client, _ in
            let accept = "application/json;g=apidiscovery.k8s.io;v=v2;as=APIGroupDiscoveryList,application/json"
            let fields: HTTPFields = ["Authorization": "Bearer right", "Accept": accept]
            let all = try await client.execute(.get, "/apis", fields: fields, body: [])
            #expect(
                all.fields["Content-Type"] == "application/json;g=apidiscovery.k8s.io;v=v2;as=APIGroupDiscoveryList")
            #expect(all.text.contains("\"shortNames\":[\"wf\"]"))
            #expect(try await call(client, .get, "/apis").json["kind"] == "APIGroupList")
            #expect(try await call(client, .get, "/api/v1").json["kind"] == "APIResourceList")
            #expect(
                try await call(client, .get, "/apis/argoproj.io/v1alpha1").json["resources"]?[0]?["kind"] == "Workflow")
            let index = try await call(client, .get, "/openapi/v3")
            let path = index.json[path: "paths", "apis/argoproj.io/v1alpha1", "serverRelativeURL"]?.stringValue ?? ""
            let document = try await call(client, .get, path)
            #expect(document.json[path: "components", "schemas", "WorkflowSpec", "properties", "entrypoint"] != nil)
        }
    }

    @Test func watchListEndsItsInitialEvents() async throws {
        try await withAPI { client, store in
            try await store.create(.configMap, namespace: "default", settings)
            let target =
                collection
                + "?watch=true&sendInitialEvents=true&resourceVersionMatch=NotOlderThan&allowWatchBookmarks=true"
                + "&timeoutSeconds=0"
            let response = try await client.execute(.get, target, fields: admin, body: [])
            let lines = try response.body.split(separator: UInt8(ascii: "\n")).map { try JSON.parse(Array($0)) }
            #expect(lines.map { $0["type"]?.stringValue } == ["ADDED", "BOOKMARK"])
            #expect(lines[1][path: "object", "metadata", "annotations", "k8s.io/initial-events-end"] == "true")
            let old = try await client.execute(
                .get, collection + "?watch=1&resourceVersion=0&timeoutSeconds=0", fields: admin, body: [])
            #expect(old.text.hasPrefix("{\"type\":\"ADDED\""))
        }
    }

    @Test func aLiveWatchSeesChanges() async throws {
        try await withAPI(.live) { client, store in
            async let watched = client.execute(
                .get, collection + "?watch=true&timeoutSeconds=1", fields: admin, body: [])
            try await Task.sleep(nanoseconds: 200_000_000)
            try await store.create(.configMap, namespace: "default", settings)
            try await store.delete(ResourceKey(.configMap, namespace: "default", name: "settings"))
            let lines = try await watched.text.split(separator: "\n")
            #expect(lines.count == 2 && lines[0].contains("\"ADDED\"") && lines[1].contains("\"DELETED\""))
        }
    }

    @Test func statusHasItsOwnPath() async throws {
        try await withAPI { client, store in
            let pod: JSON = [
                "apiVersion": "v1", "kind": "Pod", "metadata": ["name": "p"], "status": ["phase": "Succeeded"],
                "spec": ["containers": [["name": "main", "image": "x"]]],
            ]
            let pods = "/api/v1/namespaces/default/pods"
            #expect(try await call(client, .post, pods, pod).json[path: "status", "phase"] == "Pending")
            let merge = "application/merge-patch+json"
            let ignored = try await call(client, .patch, pods + "/p", ["status": ["phase": "Failed"]], type: merge)
            #expect(ignored.json[path: "status", "phase"] == "Pending")
            let set = try await call(client, .patch, pods + "/p/status", ["status": ["phase": "Failed"]], type: merge)
            #expect(set.json[path: "status", "phase"] == "Failed")
        }
    }

    @Test func eachSeriesIsOneLine() async throws {
        try await withAPI { client, _ in
            for _ in 0..<5 { _ = try await call(client, .get, collection) }
            _ = try await call(client, .get, "/api/v1/odds")
            let text = try await client.execute(.get, "/metrics", fields: admin, body: []).text
            let lines = text.split(separator: "\n").filter { $0.hasPrefix("apiserver_request_total") }
            #expect(
                lines.contains(
                    "apiserver_request_total{verb=\"LIST\",group=\"\",resource=\"configmaps\",code=\"200\"} 5"))
            #expect(Set(lines).count == lines.count && !text.contains("odds"))
        }
    }

    @Test(arguments: [
        (0, "0s"), (119, "119s"), (120, "2m"), (185, "3m5s"), (600, "10m"), (10_800, "3h"), (11_100, "3h5m"),
        (28_800, "8h"),
        (172_800, "2d"), (180_000, "2d2h"), (691_200, "8d"), (63_072_000, "2y"), (63_158_400, "2y1d"),
    ])
    func ages(_ seconds: Int64, _ text: String) { #expect(Ages.text(seconds: seconds) == text) }

    @Test(arguments: [
        ("/api/v1/pods", "pods", nil, nil, ""), ("/api/v1/namespaces/a/pods/b", "pods", "a", "b", ""),
        ("/api/v1/namespaces/a/pods/b/log", "pods", "a", "b", "log"),
        ("/api/v1/namespaces/a", "namespaces", nil, "a", ""),
        ("/api/v1/namespaces/a/status", "namespaces", nil, "a", "status"),
        ("/apis/argoproj.io/v1alpha1/namespaces/a/workflows", "workflows", "a", nil, ""),
        ("/apis/rbac.authorization.k8s.io/v1/clusterroles/x", "clusterroles", nil, "x", ""),
    ])
    func paths(_ text: String, _ resource: String, _ namespace: String?, _ name: String?, _ subresource: String) throws
    {
        let path = try #require(ResourcePath(text.split(separator: "/").map(String.init)))
        #expect(path.resource == resource && path.namespace == namespace)
        #expect(path.name == name && path.subresource == subresource)
    }
}
