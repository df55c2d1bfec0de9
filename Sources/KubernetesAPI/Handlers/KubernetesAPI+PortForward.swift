// `kubectl port-forward`: SPDY/3.1, plainly (older kubectl) or in the messages of a WebSocket (1.31 and newer).

import Cluster
import Formats
import HTTP
import Server

extension KubernetesAPI {
    func portForward(_ request: Request, _ key: ResourceKey) throws -> Response {
        let pod = try store.get(key)
        let phase = pod.status["phase"]?.stringValue ?? "Pending"
        guard phase == "Running" else {
            throw StatusError.badRequest("unable to forward port because pod is not running. Current status=\(phase)")
        }
        if WebSocketUpgrade.isRequested(by: request) {
            return WebSocketUpgrade.response(request, subprotocols: [PortForward.subprotocol]) { socket in
                await PortForward(connection: SPDYConnection(WebSocketTunnel(socket)), pod: pod).run()
            }
        }
        guard request.fields.contains(token: "SPDY/3.1", in: "Upgrade") else {
            throw StatusError.badRequest("port-forward needs a connection that is upgraded to WebSocket or SPDY/3.1")
        }
        let offered = request.fields.values("X-Stream-Protocol-Version")
        guard request.head.version == .http11, offered.contains(PortForward.streamProtocol) else {
            throw StatusError(
                .forbidden, "Forbidden",
                "of the stream protocols only \(PortForward.streamProtocol) is spoken here, over HTTP/1.1")
        }
        return Response(
            .switchingProtocols,
            fields: [
                "Upgrade": "SPDY/3.1", "Connection": "Upgrade",
                "X-Stream-Protocol-Version": PortForward.streamProtocol,
            ],
            body: .upgrade { connection in
                await PortForward(connection: SPDYConnection(connection), pod: pod).run()
            })
    }
}
