// `kubectl exec` and `kubectl cp`: over WebSocket (kubectl 1.30 and newer, the Python client) or SPDY/3.1 (older ones).

import Bytes
import Cluster
import Formats
import HTTP
import Server

extension KubernetesAPI {
    static func refusedSubresource(_ name: String, _ key: ResourceKey) -> StatusError {
        StatusError(.notImplemented, "NotImplemented", "pods \"\(key.name)\": this server does not support \(name)")
    }

    func exec(_ request: Request, _ key: ResourceKey, _ options: RequestOptions) async throws -> Response {
        let pod = try store.get(key)
        let container = try Self.container(of: pod, named: options.value("container"))
        var command = PodCommand(options.values("command"))
        guard !command.arguments.isEmpty, command.arguments.count <= 10_000 else {
            throw StatusError.badRequest("you must specify at least one command for the container")
        }
        command.hasInput = try options.flag("stdin")
        command.hasOutput = try options.flag("stdout")
        command.hasError = try options.flag("stderr")
        command.isTerminal = try options.flag("tty")
        guard command.hasInput || command.hasOutput || command.hasError else {
            throw StatusError.badRequest("you must specify at least 1 of stdin, stdout, stderr")
        }
        let isWebSocket = WebSocketUpgrade.isRequested(by: request)
        guard isWebSocket || request.fields.contains(token: "SPDY/3.1", in: "Upgrade") else {
            throw StatusError.badRequest("exec needs a connection that is upgraded to WebSocket or SPDY/3.1")
        }
        guard let sessions else { throw StatusError.badRequest("pod \(pod.name) does not run: no pods run here") }
        let session = try await sessions.run(command, in: pod, container: container)
        let response =
            isWebSocket
            ? overWebSocket(request, session, sessions) : overSPDY(request, command, session, sessions)
        if response.status != .switchingProtocols {
            session.close()
            sessions.ended()
        }
        return response
    }

    private func overWebSocket(_ request: Request, _ session: PodSession, _ sessions: PodSessions) -> Response {
        WebSocketUpgrade.response(request, subprotocols: WebSocketChannel.subprotocols) { socket in
            await RemoteCommand(channel: WebSocketChannel(socket), session: session).run()
            session.close()
            sessions.ended()
        }
    }

    private func overSPDY(
        _ request: Request, _ command: PodCommand, _ session: PodSession, _ sessions: PodSessions
    ) -> Response {
        let offered = request.fields.values("X-Stream-Protocol-Version")
        guard request.head.version == .http11, offered.contains(SPDYChannel.streamProtocol) else {
            return StatusError(
                .forbidden, "Forbidden",
                "of the stream protocols only \(SPDYChannel.streamProtocol) is spoken here, over HTTP/1.1"
            ).response
        }
        var wanted: Set<RemoteStream> = [.status]
        if command.hasInput { wanted.insert(.input) }
        if command.hasOutput { wanted.insert(.output) }
        if command.hasError, !command.isTerminal { wanted.insert(.error) }
        let streams = wanted
        return Response(
            .switchingProtocols,
            fields: [
                "Upgrade": "SPDY/3.1", "Connection": "Upgrade",
                "X-Stream-Protocol-Version": SPDYChannel.streamProtocol,
            ],
            body: .upgrade { connection in
                let channel = SPDYChannel(connection)
                if await channel.open(streams) { await RemoteCommand(channel: channel, session: session).run() }
                session.close()
                sessions.ended()
            })
    }
}
