// The network core with almost nothing behind it: what the benchmarks and the protocol tests call.
//
//   netfixture PORT FILE [LOOPS]
//
//   GET  /            100 bytes
//   GET  /file        FILE, by sendfile
//   PUT  /sink        counts the body, answers the count
//   POST /echo        answers the body
//   GET  /websocket   echoes messages
//   gRPC echo.Echo    see GRPCEcho.swift

import EventLoop
import Glibc
import HTTP
import Server

guard (3...4).contains(CommandLine.arguments.count), let port = Int(CommandLine.arguments[1]),
    let loopCount = Int(CommandLine.arguments.count == 4 ? CommandLine.arguments[3] : "1")
else {
    print("usage: netfixture PORT FILE [LOOPS]")
    exit(2)
}
let file = CommandLine.arguments[2]
let hundred = [UInt8](repeating: UInt8(ascii: "x"), count: 100)

let router = Router()
router.get("/") { _ in Response(contentType: "text/plain", hundred) }
router.get("/file") { _ in
    let descriptor = open(file, O_RDONLY | O_CLOEXEC)
    guard descriptor >= 0 else { return Response(.notFound) }
    let size = Int64(lseek(descriptor, 0, SEEK_END))
    return Response(body: .file(FileRegion(descriptor: descriptor, range: 0..<size) { close($0) }))
}
router.put("/sink") { request in
    var count = 0
    while let chunk = try await request.body.next() { count += chunk.count }
    return Response(text: "\(count)")
}
router.post("/echo") { request in
    Response(contentType: "application/octet-stream", try await request.body.collect(bytesMax: 64 << 20))
}
// Echoes messages; the text "close" makes the server close, "fail" makes its handler fail.
router.get("/websocket") { request in
    WebSocketUpgrade.response(request, subprotocols: ["v5.echo", "v4.echo"], messageBytesMax: 1 << 20) { socket in
        while let message = try await socket.receive() {
            switch message {
            case .text("close"): return await socket.close(code: 3000, reason: "as you wish")
            case .text("fail"): throw BodyError.malformed
            case .text(let text): try await socket.send(text: text)
            case .binary(let bytes): try await socket.send(binary: bytes)
            }
        }
    }
}

var configuration = ServerConfiguration(role: "netfixture", address: "127.0.0.1", port: port)
configuration.accessLog = false
if let folder = getenv("NETFIXTURE_TLS_FOLDER").map({ String(cString: $0) }) {
    // Makes an authority (ca.crt) and a certificate there and serves TLS.
    do {
        configuration.tls = try GeneratedCertificate.prepare(
            folder: folder, names: ["localhost", "127.0.0.1"]
        ).configuration
    } catch {
        print("\(error)")
        exit(1)
    }
}
let handler = makeEchoRouter().handler { try await router.respond(to: $0) }
let server = Server(configuration: configuration, group: EventLoopGroup(count: loopCount), handler: handler)
do {
    try server.start()
} catch {
    print("cannot listen: \(error)")
    exit(1)
}
print("listening on \(server.port)")
fflush(nil)
while true { pause() }
