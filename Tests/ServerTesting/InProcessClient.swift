import HTTP

/// Calls the handler directly and collects what it streams.
struct InProcessClient: TestClient {
    let handler: Handler

    func execute(_ method: HTTPMethod, _ target: String, fields: HTTPFields, body: [UInt8]) async throws -> TestResponse
    {
        var fields = fields
        if !fields.contains("Host") { fields.append("Host", "127.0.0.1") }
        if !body.isEmpty, !fields.contains("Content-Length") { fields.append("Content-Length", "\(body.count)") }
        let head = RequestHead(method: method, target: target, fields: fields)
        let response = try await handler(Request(head: head, body: RequestBody(body), peer: "127.0.0.1:1"))
        let collector = Collector()
        switch response.body {
        case .empty: break
        case .bytes(let bytes): try await collector.write(bytes)
        case .file(let region): try await collector.write(region)
        case .stream(_, let produce): try await produce(collector)
        case .upgrade: throw TestClientError.unsupported("an upgrade needs a live client")
        }
        return TestResponse(
            status: response.status.code, fields: response.fields, body: method == .head ? [] : collector.bytes,
            trailers: collector.trailers)
    }
}

private final class Collector: BodyWriter, @unchecked Sendable {
    // Used by one handler at a time.
    var bytes: [UInt8] = []
    var trailers = HTTPFields()

    func write(_ bytes: [UInt8]) async throws { self.bytes += bytes }

    func write(_ file: FileRegion) async throws { bytes += try readAll(file) }

    func flush() async throws {}

    func setTrailers(_ fields: HTTPFields) { trailers = fields }
}
