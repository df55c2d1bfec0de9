import Bytes
import Digests
package import HTTP

/// The opening handshake of RFC 6455 section 4.2.
package enum WebSocketUpgrade {
    /// Bytes of a message unless the caller says otherwise.
    package static let messageBytesMaxDefault = 16 * 1024 * 1024

    /// True when `request` asks for a WebSocket.
    package static func isRequested(by request: Request) -> Bool {
        request.fields.contains(token: "websocket", in: "Upgrade")
    }

    /// Answers the handshake and runs `serve` on the connection; or refuses with 400 or 426 and the reason.
    ///
    /// - Parameters:
    ///   - subprotocols: what is spoken here. The client's first choice among them is taken; a client that names only
    ///     others is refused, one that names none is served without.
    ///   - serve: the connection is closed when it returns: with code 1000, or 1011 when it throws.
    package static func response(
        _ request: Request, subprotocols: [String] = [], messageBytesMax: Int = messageBytesMaxDefault,
        pingMilliseconds: UInt64 = ServerLimits().webSocketPingMilliseconds,
        serve: @escaping @Sendable (WebSocket) async throws -> Void
    ) -> Response {
        guard request.head.version == .http11, request.method == .get, isRequested(by: request),
            request.fields.contains(token: "upgrade", in: "Connection")
        else {
            var response = Response(.upgradeRequired, text: "this resource is a WebSocket: ask for an upgrade to it\n")
            response.fields.append("Upgrade", "websocket")
            return response
        }
        guard request.fields.values("Sec-WebSocket-Version") == ["13"] else {
            var response = Response(.upgradeRequired, text: "only version 13 of the WebSocket protocol is spoken\n")
            response.fields.append("Sec-WebSocket-Version", "13")
            return response
        }
        let keys = request.fields.values("Sec-WebSocket-Key")
        guard keys.count == 1, keys[0].utf8.count == 24, Base64.decode(keys[0].utf8)?.count == 16 else {
            return Response(.badRequest, text: "Sec-WebSocket-Key is not 16 bytes in Base64\n")
        }
        let offered = request.fields.values("Sec-WebSocket-Protocol").flatMap { value in
            value.pieces(by: ",").map { String($0.drop { $0 == " " }.prefix { $0 != " " }) }
        }
        let chosen = offered.first { subprotocols.contains($0) }
        guard chosen != nil || offered.isEmpty || subprotocols.isEmpty else {
            let spoken = subprotocols.joined(separator: ", ")
            return Response(
                .badRequest, text: "none of the offered subprotocols is spoken here; these are: \(spoken)\n")
        }
        var fields: HTTPFields = ["Upgrade": "websocket", "Connection": "Upgrade"]
        fields.append("Sec-WebSocket-Accept", acceptance(of: keys[0]))
        if let chosen { fields.append("Sec-WebSocket-Protocol", chosen) }
        return Response(
            .switchingProtocols, fields: fields,
            body: .upgrade { connection in
                let socket = WebSocket(
                    connection, subprotocol: chosen, messageBytesMax: messageBytesMax,
                    pingMilliseconds: pingMilliseconds)
                do {
                    try await serve(socket)
                } catch {
                    await socket.close(code: 1011, reason: "internal error")
                    throw error
                }
                await socket.close()
            })
    }

    /// `Sec-WebSocket-Accept` for a key (section 4.2.2, step 5.4).
    static func acceptance(of key: String) -> String {
        var hash = SHA1()
        hash.update(Array((key + "258EAFA5-E914-47DA-95CA-C5AB0DC85B11").utf8))
        return Base64.encode(hash.finalize())
    }
}
