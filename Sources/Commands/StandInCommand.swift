// `slipway stand-in`: what runs in pods of servers whose work the cluster does itself, such as Argo's controller. It
// answers the probes that their charts come with, and says whose place it takes. The image table starts it; people do not.

import HTTP
import Server

extension Command {
    static let standIn = Command(
        name: "stand-in", summary: "answer the probes of a server whose work the cluster does itself",
        positional: "NAME PORT PATH", run: runStandIn)
}

private func runStandIn(_ invocation: Invocation) async throws -> Int32 {
    guard invocation.words.count == 3, let port = Int(invocation.words[1]), (1...65535).contains(port) else {
        throw UsageError("stand-in needs a name, a port and a path")
    }
    let (name, path) = (invocation.words[0], invocation.words[2])
    let purpose = "workflows are run by slipway cluster itself; this pod stands for \(name)\n"
    let configuration = ServerConfiguration(
        role: "stand-in", address: invocation.environment["POD_IP"] ?? "127.0.0.1", port: port)
    let server = Server(configuration: configuration) { request in
        request.path == path
            ? Response(text: purpose) : Response(.notFound, text: "\(purpose)nothing is served at this path\n")
    }
    Output.line(String(purpose.dropLast()))
    return try await RoleRunner.run("stand-in") {
        try server.start()
        return RunningRole(servers: [("http", server)])
    }
}
