// One interface, two ways to reach a handler: called directly, or through a real server and a socket. A test written
// against it runs both ways (the idea is Hummingbird's `app.test(.router)` and `app.test(.live)`).

package import HTTP
package import Server

/// A response, read whole.
package struct TestResponse: Sendable {
    package var status: Int
    package var fields: HTTPFields
    package var body: [UInt8]
    package var trailers = HTTPFields()

    package var text: String { String(decoding: body, as: UTF8.self) }
}

/// How a test reaches the handler.
package enum TestMode: String, Sendable, CaseIterable, CustomStringConvertible {
    case inProcess, live
    package var description: String { rawValue }
}

/// Sends requests to the handler under test.
package protocol TestClient: Sendable {
    func execute(_ method: HTTPMethod, _ target: String, fields: HTTPFields, body: [UInt8]) async throws -> TestResponse
}

extension TestClient {
    package func execute(
        _ method: HTTPMethod, _ target: String, body: [UInt8] = []
    ) async throws -> TestResponse {
        try await execute(method, target, fields: [:], body: body)
    }
}

/// Runs `test` with a client for `handler`, and shuts the server of a live one down afterwards.
package func withTestClient(
    _ mode: TestMode, configure: (inout ServerConfiguration) -> Void = { _ in }, handler: @escaping Handler,
    test: (any TestClient) async throws -> Void
) async throws {
    switch mode {
    case .inProcess: try await test(InProcessClient(handler: handler))
    case .live:
        try await withTestServer(configure: configure, handler: handler) { server in
            try await test(LiveClient(port: server.port))
        }
    }
}

/// Runs `test` with a server for `handler` on a free port of 127.0.0.1.
package func withTestServer(
    configure: (inout ServerConfiguration) -> Void = { _ in }, handler: @escaping Handler,
    test: (Server) async throws -> Void
) async throws {
    var configuration = ServerConfiguration(role: "test", address: "127.0.0.1", port: 0)
    configuration.accessLog = false
    configuration.limits.drainMilliseconds = 200
    configure(&configuration)
    let server = Server(configuration: configuration, handler: handler)
    try server.start()
    do {
        try await test(server)
    } catch {
        await server.shutdown()
        throw error
    }
    await server.shutdown()
}
