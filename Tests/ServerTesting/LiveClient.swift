import EventLoop
import HTTP

/// Sends each request over a connection of its own, on a thread that may block.
struct LiveClient: TestClient {
    let port: Int
    private static let pool = BlockingPool(name: "test-client", threadCount: 16)

    init(port: Int) { self.port = port }

    func execute(_ method: HTTPMethod, _ target: String, fields: HTTPFields, body: [UInt8]) async throws -> TestResponse
    {
        let port = port
        return try await Self.pool.run {
            var fields = fields
            if !fields.contains("Host") { fields.append("Host", "127.0.0.1:\(port)") }
            if !body.isEmpty, !fields.contains("Content-Length") { fields.append("Content-Length", "\(body.count)") }
            var head = "\(method.name) \(target) HTTP/1.1\r\n"
            for (name, value) in fields.all { head += "\(name): \(value)\r\n" }
            let connection = try RawConnection(port: port)
            try connection.send(Array((head + "\r\n").utf8) + body)
            return try connection.readResponse(toHead: method == .head)
        }
    }
}
