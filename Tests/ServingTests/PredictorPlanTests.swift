import Cluster
import Formats
import ObjectClient
import Signatures
import Testing

@testable import Serving

@Suite struct PredictorPlanTests {
    private func service(_ predictor: JSON) -> Resource {
        Resource(
            key: ResourceKey(.inferenceService, namespace: "mms", name: "triton-mms"),
            json: ["metadata": ["name": "triton-mms", "uid": "u"], "spec": ["predictor": predictor]], version: 1)
    }

    @Test func readsTheDocumentsService() throws {
        let plan = try PredictorPlan(
            service([
                "serviceAccountName": "sa", "minReplicas": 1,
                "triton": ["args": ["--log-verbose=1"], "resources": ["limits": ["memory": "4Gi", "cpu": "1"]]],
            ]))
        #expect(plan.format == "triton" && plan.storageURI == nil && plan.serviceAccount == "sa")
        #expect(plan.memoryBytes == 4 << 30)
        let pod = plan.pod(suffix: "00001-x", ports: ports, repository: "/models", hasPrivateView: true)
        let container = pod[path: "spec", "containers"]?.arrayValue?.first
        let line = (container?["args"]?.arrayValue ?? []).compactMap(\.stringValue)
        #expect(pod[path: "metadata", "name"] == "triton-mms-predictor-default-00001-x")
        #expect(line.prefix(2) == ["--model-repository", "/mnt/models"])
        #expect(line.contains("explicit") && !line.contains("--log-verbose=1"))
        #expect(pod[path: "metadata", "annotations", ServingNames.portAnnotation] == "8000")
        #expect(pod[path: "metadata", "labels", "app"] == "isvc.triton-mms-predictor-default")
        let bind = try #require(line.firstIndex(of: "--bind"))
        #expect(line[bind + 1] == "$(POD_IP)" && line.contains("8080,9000"))
        let declared = (container?["ports"]?.arrayValue ?? []).compactMap { $0["containerPort"]?.intValue }
        #expect(declared == [8000, 8001, 8080, 9000, 8002])
        #expect(pod[path: "spec", "volumes"]?.arrayValue?.first?[path: "hostPath", "path"] == "/models")
    }

    private let ports = PredictorPorts(
        http: 8000, grpc: 8001, metrics: 8002,
        more: [.init(name: "user-port", number: 8080), .init(name: "h2c", number: 9000)])

    @Test func portsThatAreTakenEverywhereAreReplacedOrLeftOut() throws {
        #expect(PredictorPorts.choose { $0 } == ports)
        let taken: Set<Int> = [8000, 8080]
        let other = try #require(PredictorPorts.choose { $0 == 0 ? 40_000 : taken.contains($0) ? nil : $0 })
        #expect(other.http == 40_000 && other.grpc == 8001 && other.more.map(\.number) == [9000])
        #expect(PredictorPorts.choose { _ in nil } == nil)
    }

    @Test func theOriginNeedsAnAddress() {
        func pod(_ status: JSON) -> Resource {
            Resource(
                key: ResourceKey(.pod, namespace: "mms", name: "p"),
                json: ["metadata": ["annotations": [ServingNames.portAnnotation: "8000"]], "status": status], version: 1
            )
        }
        #expect(ServingNames.origin(of: pod(["podIP": "127.64.0.1"])) == "http://127.64.0.1:8000")
        #expect(ServingNames.origin(of: pod([:])) == nil)
    }

    @Test func theServicesLeadToPort80() {
        let made = PredictorWorker.object("triton-mms", of: service([:]))
        let port = made[path: "spec", "ports"]?.arrayValue?.first
        #expect(port?["port"] == 80 && port?["targetPort"] == "http")
        #expect(made[path: "metadata", "ownerReferences"]?.arrayValue?.first?["uid"] == "u")
        #expect(made[path: "spec", "selector", ServingNames.activeLabel] == "true")
    }

    @Test func seesTheFolderItselfWithoutAPrivateView() throws {
        let plan = try PredictorPlan(service(["triton": [:]]))
        let pod = plan.pod(suffix: "1", ports: ports, repository: "/models", hasPrivateView: false)
        let container = pod[path: "spec", "containers"]?.arrayValue?.first
        let line = (container?["args"]?.arrayValue ?? []).compactMap(\.stringValue)
        #expect(line.contains("/models"))
        #expect(pod[path: "spec", "volumes"] == nil)
    }

    @Test func aNewModelIsNoNewRevision() throws {
        let first = try PredictorPlan(service(["onnx": ["storageUri": "s3://a/1"]]))
        let second = try PredictorPlan(service(["onnx": ["storageUri": "s3://a/2"]]))
        let third = try PredictorPlan(service(["onnx": ["storageUri": "s3://a/2", "env": [["name": "A"]]]]))
        #expect(first.storageURI == "s3://a/1" && first.revision == second.revision)
        #expect(second.revision != third.revision)
    }

    @Test func refusesWhatIsNoFlag() {
        #expect(throws: PredictorPlan.Fault.self) { try PredictorPlan(service(["triton": ["args": ["serve"]]])) }
    }

    @Test func memoryIsHandedOutInOrder() {
        var budget = MemoryBudget(limit: 100)
        #expect(budget.take(60) == nil)
        #expect(budget.take(50) == 40)
        #expect(budget.take(40) == nil)
        var unlimited = MemoryBudget(limit: nil)
        #expect(unlimited.take(.max) == nil && unlimited.take(.max) == nil)
    }
}

@Suite struct StorageCredentialsTests {
    private func secret(_ annotations: JSON, _ data: JSON) -> Resource {
        Resource(
            key: ResourceKey(.secret, namespace: "mms", name: "s3-secret"),
            json: ["metadata": ["name": "s3-secret", "annotations": annotations], "data": data], version: 1)
    }

    private let key: JSON = ["AWS_ACCESS_KEY_ID": "bWluaW8=", "AWS_SECRET_ACCESS_KEY": "bWluaW9zdG9yYWdlCg=="]

    @Test func readsKServesAnnotations() throws {
        let found = try StorageCredentials.endpoint(
            secret(
                [
                    "serving.kserve.io/s3-endpoint": "minio:9000", "serving.kserve.io/s3-usehttps": "0",
                    "serving.kserve.io/s3-region": "eu-1", "serving.kserve.io/s3-verifyssl": "0",
                ], key), standard: "http://standard")
        #expect(found?.url == "http://minio:9000" && found?.region == "eu-1")
        // The line end that `echo | base64` leaves behind is no part of the key.
        #expect(found?.credential?.accessKey == "minio" && found?.credential?.secretKey == "miniostorage")
    }

    @Test func takesTheStandardStoreWithoutAnEndpoint() throws {
        #expect(
            try StorageCredentials.endpoint(secret([:], key), standard: "http://standard")?.url == "http://standard")
        #expect(try StorageCredentials.endpoint(secret([:], ["other": "eA=="]), standard: "http://standard") == nil)
    }

    @Test(
        arguments: [
            (["serving.kserve.io/s3-endpoint": "http://minio:9000"], "write HOST:PORT and no scheme"),
            (
                ["serving.kserve.io/s3-endpoint": "minio:9000", "serving.kserve.io/s3-verifyssl": "0"],
                "s3-verifyssl \"0\" is not supported"
            ),
        ] as [(JSON, String)])
    func refuses(annotations: JSON, message: String) {
        #expect { try StorageCredentials.endpoint(secret(annotations, key), standard: "") } throws: {
            ($0 as? StorageFault)?.message.contains(message) == true
        }
    }

    @Test func wantsBothHalves() {
        #expect {
            try StorageCredentials.endpoint(secret([:], ["AWS_ACCESS_KEY_ID": "bWluaW8="]), standard: "")
        } throws: {
            ($0 as? StorageFault)?.message.contains("needs both") == true
        }
    }
}
