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

    @Test(arguments: TestMode.allCases)
    func middlewareStandsAroundEveryRequest(_ mode: TestMode) async throws {
        var router = router()
        router.use { request, next in
            guard request.fields["Authorization"] == "Bearer right" else {
                return Response(HTTPStatus.unauthorized, text: "log in")
            }
            request.principal = "someone"
            var response = try await next(request)
            response.fields.append("X-Outer", "1")
            return response
        }
        router.use { request, next in
            var response = try await next(request)
            response.fields.append("X-Inner", request.principal ?? "nobody")
            return response
        }
        let routes = router
        try await withTestClient(mode, handler: { try await routes.respond(to: $0) }) { client in
            #expect(try await client.execute(.get, "/").status == 401)
            #expect(try await client.execute(.get, "/nowhere").status == 401)
            let fields: HTTPFields = ["Authorization": "Bearer right"]
            let answer = try await client.execute(.get, "/", fields: fields, body: [])
            #expect(answer.text == "root")
            #expect(answer.fields["X-Outer"] == "1" && answer.fields["X-Inner"] == "someone")
            #expect(try await client.execute(.get, "/nowhere", fields: fields, body: []).status == 404)
        }
    }

    @Test(arguments: [
        ("http://evil.example", "127.0.0.1:5001", 403), ("null", "127.0.0.1:5001", 403),
        ("https://127.0.0.1:5001", "127.0.0.1:5001", 403), ("http://127.0.0.1:5001", "127.0.0.1:5001", 200),
        ("http://LOCALHOST:5001", "localhost:5001", 200), (nil, "127.0.0.1:5001", 200),
    ])
    func pagesOfOtherOriginsChangeNothing(_ origin: String?, _ host: String, _ status: Int) async throws {
        var router = Router()
        router.use(CrossOriginGuard.middleware { Response(HTTPStatus.forbidden, text: $0) })
        router.post("/") { _ in Response(text: "changed") }
        router.get("/") { _ in Response(text: "read") }
        let routes = router
        try await withTestClient(.inProcess, handler: { try await routes.respond(to: $0) }) { client in
            var fields: HTTPFields = ["Host": host]
            if let origin { fields.append("Origin", origin) }
            let written = try await client.execute(.post, "/", fields: fields, body: [])
            #expect(written.status == status)
            let read = try await client.execute(.get, "/", fields: fields, body: [])
            #expect(read.status == 200)
        }
    }
}
