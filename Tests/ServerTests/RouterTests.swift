import HTTP
import Server
import ServerTesting
import Testing

@Suite struct RouterTests {
    private func router() -> Router {
        let router = Router()
        router.get("/") { _ in Response(text: "root") }
        router.get("/v2/models/{model}") { Response(text: "model \($0.parameter("model"))") }
        router.get("/v2/models/stats") { _ in Response(text: "stats") }
        router.post("/v2/models/{model}/infer") { request in
            Response(text: "infer \(request.parameter("model")) \(try await request.body.collect(bytesMax: 10).count)")
        }
        router.get("/files/{path*}") { Response(text: "file \($0.parameter("path"))") }
        return router
    }

    @Test(arguments: TestMode.allCases)
    func routes(_ mode: TestMode) async throws {
        let router = router()
        try await withTestClient(mode, handler: { try await router.respond(to: $0) }) { client in
            #expect(try await client.execute(.get, "/").text == "root")
            #expect(try await client.execute(.get, "/v2/models/mnist").text == "model mnist")
            #expect(try await client.execute(.get, "/v2/models/a%2Fb").text == "model a/b")
            #expect(try await client.execute(.get, "/v2/models/stats").text == "stats")
            #expect(try await client.execute(.post, "/v2/models/m/infer", body: [1, 2, 3]).text == "infer m 3")
            #expect(try await client.execute(.get, "/files/a/b%20c/d").text == "file a/b c/d")
            #expect(try await client.execute(.get, "/nothing").status == 404)
            #expect(try await client.execute(.get, "/v2/models/%zz").status == 404)
            let refused = try await client.execute(.delete, "/v2/models/m/infer")
            #expect(refused.status == 405)
            #expect(refused.fields["Allow"] == "POST")
            let head = try await client.execute(.head, "/")
            #expect(head.status == 200 && head.body.isEmpty)
        }
    }
}
