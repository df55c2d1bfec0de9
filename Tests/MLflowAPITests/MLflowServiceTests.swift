import Bytes
import EventLoop
import Formats
import Foundation
import HTTP
import MLflowAPI
import Server
import ServerTesting
import Testing
import Tracking

/// Runs `test` with a client of a fresh tracking server.
func withService(_ mode: TestMode, _ test: (any TestClient) async throws -> Void) async throws {
    let folder = "/tmp/slipway-mlflowapi-\(Randomness.hexID())"
    mkdir(folder, 0o700)
    defer { try? FileManager.default.removeItem(atPath: folder) }
    let store = try await TrackingStore(path: "\(folder)/tracking.db", artifactRoot: "mlflow-artifacts:/")
    let pool = BlockingPool(name: "test", threadCount: 2)
    let resolver = ArtifactResolver(
        destination: try FolderArtifactStore(folder: "\(folder)/artifacts", pool: pool), client: nil)
    let service = MLflowService(store: store, artifacts: resolver)
    try await withTestClient(mode, handler: service.handler, test: test)
    await store.close()
}

extension TestClient {
    func post(_ path: String, _ body: JSON) async throws -> (status: Int, body: JSON) {
        let answer = try await execute(
            .post, "/api/2.0/mlflow\(path)", fields: ["Content-Type": "application/json"], body: body.encoded)
        return (answer.status, try JSON.parse(answer.body))
    }

    func get(_ target: String) async throws -> (status: Int, body: JSON) {
        let answer = try await execute(.get, target)
        return (answer.status, try JSON.parse(answer.body))
    }
}

struct MLflowServiceTests {
    @Test(arguments: TestMode.allCases)
    func aRunGoesRound(mode: TestMode) async throws {
        try await withService(mode) { client in
            let created = try await client.post(
                "/runs/create", ["experiment_id": "0", "run_name": "r", "start_time": "17"])
            let info = try #require(created.body["run"]?["info"])
            let id = try #require(info["run_id"]?.stringValue)
            #expect(info["start_time"]?.intValue == 17 && info["status"]?.stringValue == "RUNNING")
            let logged = try await client.post(
                "/runs/log-batch",
                [
                    "run_id": .string(id), "metrics": [["key": "m", "value": "NaN", "timestamp": "5", "step": 2.0]],
                    "params": [["key": "p", "value": ""]],
                ])
            #expect(logged.status == 200 && logged.body == [:])
            let run = try await client.get("/ajax-api/3.0/mlflow/runs/get?run_id=\(id)").body["run"]
            #expect(run?["data"]?["metrics"]?[0]?["value"]?.stringValue == "NaN")
            #expect(run?["data"]?["metrics"]?[0]?["step"]?.intValue == 2)
            #expect(run?["data"]?["params"]?[0] == ["key": "p", "value": ""])
            let done = try await client.post("/runs/update", ["run_uuid": .string(id), "status": 3, "end_time": 99])
            #expect(done.body["run_info"]?["status"]?.stringValue == "FINISHED")
        }
    }

    @Test(arguments: TestMode.allCases)
    func artifactsGoRound(mode: TestMode) async throws {
        try await withService(mode) { client in
            let base = "/api/2.0/mlflow-artifacts/artifacts"
            let content = Randomness.bytes(700_000)
            #expect(try await client.execute(.put, "\(base)/a/b%20c.bin", body: content).status == 200)
            #expect(try await client.execute(.get, "\(base)/a/b%20c.bin").body == content)
            let listed = try await client.get("\(base)?path=a").body
            #expect(listed["files"]?[0] == ["path": "b c.bin", "is_dir": false, "file_size": 700_000])
            #expect(try await client.execute(.delete, "\(base)/a").status == 200)
            #expect(try await client.execute(.get, "\(base)/a/b%20c.bin").status == 404)
        }
    }

    @Test(arguments: [
        ("/api/2.0/mlflow/nothing", 404, "ENDPOINT_NOT_FOUND"),
        ("/api/2.0/mlflow/runs/get", 400, "INVALID_PARAMETER_VALUE"),
        ("/api/2.0/mlflow/runs/get?run_id=x", 404, "RESOURCE_DOES_NOT_EXIST"),
        ("/api/2.0/mlflow/runs/create", 405, "ENDPOINT_NOT_FOUND"),
        ("/api/3.0/mlflow/traces/x", 501, "NOT_IMPLEMENTED"),
        ("/api/2.0/mlflow/webhooks", 501, "NOT_IMPLEMENTED"),
        ("/api/2.0/mlflow-artifacts/artifacts?path=..%2F..", 400, "INVALID_PARAMETER_VALUE"),
    ])
    func errorsHaveTheProtocolsForm(target: String, status: Int, code: String) async throws {
        try await withService(.inProcess) { client in
            let answer = try await client.get(target)
            #expect(answer.status == status && answer.body["error_code"]?.stringValue == code)
            #expect(answer.body["message"]?.stringValue?.isEmpty == false)
        }
    }

    @Test func foreignHostsAndOriginsAreRefused() async throws {
        try await withService(.inProcess) { client in
            let target = "/api/2.0/mlflow/experiments/search"
            for host in ["evil.example", "127.0.0.1.evil.example", "172.32.0.1", "1.2.3", "10.0.0.1.nip.io"] {
                #expect(try await client.execute(.get, target, fields: ["Host": host], body: []).status == 403)
                #expect(try await client.execute(.get, "/health", fields: ["Host": host], body: []).status == 200)
            }
            for host in ["localhost", "localhost:5001", "127.0.0.1:1", "[::1]:5001", "172.16.0.1", "10.9.8.7"] {
                #expect(try await client.execute(.get, target, fields: ["Host": host], body: []).status == 200)
            }
            let answer = try await client.execute(
                .post, target, fields: ["Origin": "http://evil.example", "Content-Type": "application/json"],
                body: Array("{}".utf8))
            #expect(answer.status == 403)
        }
    }

    @Test func olderClientsFindTheirPaths() async throws {
        try await withService(.inProcess) { client in
            let created = try await client.post("/registered-models/create", ["name": "m"])
            #expect(created.status == 200)
            let listed = try await client.get("/api/2.0/preview/mlflow/registered-models/list").body
            #expect(listed["registered_models"]?[0]?["name"]?.stringValue == "m")
            #expect(
                try await client.get("/api/2.0/mlflow/experiments/list").body["experiments"]?[0]?["experiment_id"]
                    == "0")
        }
    }
}
