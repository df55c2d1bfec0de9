import Bytes
package import HTTP

/// A WebSocket connection as its handler sees it: messages both ways. Pings are answered and the closing handshake is
/// done underneath; a peer that stays silent is pinged, and given up when it does not answer. Confined to the
/// connection's loop; one task may receive while others send.
package final class WebSocket: @unchecked Sendable {
    /// The subprotocol chosen from the client's list; nil when it named none.
    package let subprotocol: String?
    private let connection: any UpgradedConnection
    private var decoder: WebSocketDecoder
    private let turn = WriteTurn()
    private let pingMilliseconds: UInt64
    private var isPinged = false
    private var hasSentClose = false
    private var hasReceivedClose = false

    init(
        _ connection: any UpgradedConnection, subprotocol: String?, messageBytesMax: Int, pingMilliseconds: UInt64
    ) {
        self.pingMilliseconds = pingMilliseconds
        self.connection = connection
        self.subprotocol = subprotocol
        decoder = WebSocketDecoder(messageBytesMax: messageBytesMax)
    }

    /// The next message; nil when the peer has closed. Call it all the time, since it also answers pings.
    ///
    /// Throws `WebSocketError` when the peer breaks the protocol; the peer has been told then.
    package func receive() async throws -> WebSocketMessage? {
        guard !hasReceivedClose else { return nil }
        while true {
            do throws(WebSocketError) {
                switch try decoder.next() {
                case .message(let message)?: return message
                case .ping(let payload)?:
                    try? await send(.pong, payload)
                    continue
                case .pong?: continue
                case .close(let code, _)?:
                    hasReceivedClose = true
                    await close(code: code ?? 1000, reason: "")
                    return nil
                case nil: break
                }
            } catch {
                hasReceivedClose = true
                await close(code: error.code, reason: error.reason)
                throw error
            }
            switch try await connection.read(withinMilliseconds: pingMilliseconds) {
            case .bytes(let bytes):
                isPinged = false
                decoder.append(bytes)
            case .silence where !isPinged:
                isPinged = true
                try await send(.ping, [])
            case .silence, .ended:
                hasReceivedClose = true
                return nil
            }
        }
    }

    /// Sends a binary message; returns when the kernel has it.
    package func send(binary bytes: [UInt8]) async throws { try await send(.binary, bytes) }

    /// Sends a text message.
    package func send(text: String) async throws { try await send(.text, Array(text.utf8)) }

    /// Begins, or answers, the closing handshake. Nothing can be sent afterwards. A peer that has gone is no error.
    package func close(code: UInt16 = 1000, reason: String = "") async {
        guard !hasSentClose else { return }
        try? await send(.close, WebSocketEncoder.closePayload(code: code, reason: reason))
    }

    private func send(_ opcode: WebSocketOpcode, _ payload: [UInt8]) async throws {
        await turn.take()
        defer { turn.giveBack() }
        guard !hasSentClose else { throw CancellationError() }
        if opcode == .close { hasSentClose = true }
        var frame: [UInt8] = []
        WebSocketEncoder.append(opcode, payload, to: &frame)
        try await connection.write(frame)
    }
}
