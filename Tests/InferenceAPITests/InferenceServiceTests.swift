import EventLoop
import HTTP
import Inference
import InferenceAPI
import Runtimes
import ServerTesting
import Testing

@Suite struct InferenceServiceTests {
    /// A server whose repository is an empty folder.
    private func service() throws -> InferenceService {
        var configuration = RepositoryConfiguration()
        configuration.locations = ["/nonexistent"]
        configuration.mode = .explicit
        let folder = RuntimeFolder(explicit: "/nonexistent")
        let runtimes = ModelRuntimes(
            onnx: LibraryProvider(explicitPath: nil, folder: folder),
            openvino: LibraryProvider(explicitPath: nil, folder: folder))
        let repository = try ModelRepository(
            configuration: configuration, runtimes: runtimes, compute: BlockingPool(name: "test", threadCount: 1))
        return InferenceService(repository: repository, configuration: InferenceConfiguration())
    }

    @Test(arguments: TestMode.allCases) func answersInV2sForm(mode: TestMode) async throws {
        try await withTestClient(mode, handler: try service().handler) { client in
            #expect(try await client.execute(.get, "/v2/health/live").status == 200)
            #expect(try await client.execute(.get, "/v2/health/ready").status == 400)
            #expect(try await client.execute(.get, "/v2").text.hasPrefix(#"{"name":"slipway""#))
            #expect(try await client.execute(.post, "/v2/repository/index").text == "[]")
            #expect(try await client.execute(.get, "/v2/models/stats").text == #"{"model_stats":[]}"#)
            let missing = try await client.execute(.post, "/v2/models/m/infer", body: Array("{}".utf8))
            #expect(missing.status == 404)
            #expect(
                missing.text
                    == #"{"error":"model \"m\" is not found among the loaded models: load it first, or check its name"}"#
            )
            let load = try await client.execute(.post, "/v2/repository/models/m/load")
            #expect(
                load.status == 400 && load.text.contains("failed to load 'm', failed to poll from model repository"))
            #expect(try await client.execute(.delete, "/v2").status == 405)
            #expect(try await client.execute(.get, "/nothing").status == 404)
            #expect(try await client.execute(.get, "/v2/systemsharedmemory/status").text == "[]")
            #expect(
                try await client.execute(.get, "/v2/trace/setting").text.contains(
                    "the trace extension is not supported"))
        }
    }
}
