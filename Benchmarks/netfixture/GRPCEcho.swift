import HTTP
import Server

/// The gRPC methods of the fixture. Messages are plain bytes: a client passes no codec.
func makeEchoRouter() -> GRPCRouter {
    var router = GRPCRouter(role: "netfixture", messageBytesMax: 4 << 20)
    router.unary("/echo.Echo/Unary") { _, message in message }
    // Waits as many milliseconds as the message says.
    router.unary("/echo.Echo/Sleep") { _, message in
        let milliseconds = UInt64(String(decoding: message, as: UTF8.self)) ?? 0
        try await Task.sleep(nanoseconds: milliseconds * 1_000_000)
        return message
    }
    // Fails with the code and message given as "CODE text".
    router.unary("/echo.Echo/Fail") { call, message in
        let parts = String(decoding: message, as: UTF8.self).split(separator: " ", maxSplits: 1)
        call.trailingMetadata = ["x-echo": "failed"]
        throw GRPCError(
            parts.first.flatMap { Int($0) }.flatMap { GRPCStatus(rawValue: $0) } ?? .unknown, String(parts[1]))
    }
    router.streaming("/echo.Echo/Bidirectional") { call in
        call.trailingMetadata = ["x-echo": "done"]
        while let message = try await call.receive() { try await call.send(message) }
    }
    // One message "COUNT SIZE" asks for COUNT messages of SIZE bytes.
    router.streaming("/echo.Echo/Download") { call in
        guard let message = try await call.receive() else { throw GRPCError(.invalidArgument, "no message") }
        let numbers = String(decoding: message, as: UTF8.self).split(separator: " ").compactMap { Int($0) }
        guard numbers.count == 2 else { throw GRPCError(.invalidArgument, "COUNT SIZE expected") }
        let block = [UInt8](repeating: 7, count: numbers[1])
        for _ in 0..<numbers[0] { try await call.send(block) }
    }
    // Answers the number of bytes of all messages.
    router.streaming("/echo.Echo/Upload") { call in
        var count = 0
        while let message = try await call.receive() { count += message.count }
        try await call.send(Array("\(count)".utf8))
    }
    GRPCHealth().register(on: &router)
    return router
}
