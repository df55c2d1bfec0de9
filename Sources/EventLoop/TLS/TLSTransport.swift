import COpenSSL
import Clock
import Glibc

/// How a handshake ended without a session.
package enum HandshakeFailure: Error, Equatable {
    /// The peer spoke HTTP in plain text to a TLS port.
    case plainHTTP
    /// The peer has gone, was too slow, or does not agree with us.
    case failed
}

/// TLS over a connected, non-blocking socket. Confined to the connection's loop.
package final class TLSTransport: Transport {
    private let session: OpaquePointer
    private let descriptor: Int32
    package let readsAreWhole = false

    private init(session: OpaquePointer, descriptor: Int32) {
        self.session = session
        self.descriptor = descriptor
    }

    deinit { SSL_free(session) }

    /// True when the peer chose HTTP/2 by ALPN.
    package var isHTTP2: Bool {
        var name: UnsafePointer<UInt8>?
        var count: UInt32 = 0
        SSL_get0_alpn_selected(session, &name, &count)
        return UnsafeBufferPointer(start: name, count: Int(count)).elementsEqual("h2".utf8)
    }

    /// Does the server's side of the handshake on `channel`, within `timeoutMilliseconds` as a whole.
    package static func accept(
        _ channel: Channel, _ context: TLSContext, timeoutMilliseconds: UInt64
    ) async throws(HandshakeFailure) -> TLSTransport {
        guard let session = SSL_new(context.raw) else { throw .failed }
        let transport = TLSTransport(session: session, descriptor: channel.descriptor)
        guard SSL_set_fd(session, channel.descriptor) == 1 else { throw .failed }
        let deadline = MonotonicTime.now.advanced(milliseconds: timeoutMilliseconds)
        while true {
            switch transport.shakeHands() {
            case .done: return transport
            case .failed(let failure): throw failure
            case .needsRead:
                channel.noteReadWouldBlock()
                do throws(ChannelFailure) {
                    try await channel.readable(timeoutMilliseconds: left(until: deadline))
                } catch {
                    throw .failed
                }
            case .needsWrite:
                channel.noteWriteWouldBlock()
                do throws(ChannelFailure) {
                    try await channel.writable(timeoutMilliseconds: left(until: deadline))
                } catch {
                    throw .failed
                }
            }
        }
    }

    private static func left(until deadline: MonotonicTime) -> UInt64 {
        let now = MonotonicTime.now
        return now < deadline ? (deadline.nanoseconds - now.nanoseconds) / 1_000_000 + 1 : 0
    }

    private enum HandshakeStep {
        case done, needsRead, needsWrite
        case failed(HandshakeFailure)
    }

    private func shakeHands() -> HandshakeStep {
        ERR_clear_error()
        let result = SSL_accept(session)
        if result == 1 { return .done }
        switch SSL_get_error(session, result) {
        case SSL_ERROR_WANT_READ: return .needsRead
        case SSL_ERROR_WANT_WRITE: return .needsWrite
        default:
            let reason = slipway_err_reason(ERR_peek_error())
            ERR_clear_error()
            return .failed(reason == SSL_R_HTTP_REQUEST ? .plainHTTP : .failed)
        }
    }

    package func receive(_ buffer: UnsafeMutableRawBufferPointer) -> IOResult {
        ERR_clear_error()
        let count = SSL_read(session, buffer.baseAddress, Int32(clamping: buffer.count))
        return count > 0 ? .bytes(Int(count)) : outcome(count)
    }

    package func send(_ bytes: UnsafeRawBufferPointer, more: Bool) -> IOResult {
        ERR_clear_error()
        let count = SSL_write(session, bytes.baseAddress, Int32(clamping: bytes.count))
        return count > 0 ? .bytes(Int(count)) : outcome(count)
    }

    /// What a call that moved no bytes means. Without renegotiation a read does not wait for room, nor a write for
    /// input.
    private func outcome(_ result: Int32) -> IOResult {
        let code = errno
        switch SSL_get_error(session, result) {
        case SSL_ERROR_WANT_READ, SSL_ERROR_WANT_WRITE: return .wouldBlock
        case SSL_ERROR_ZERO_RETURN: return .closed
        case SSL_ERROR_SYSCALL where code == 0 || code == EPIPE || code == ECONNRESET: return .closed
        case SSL_ERROR_SYSCALL: return .failed(code)
        default:
            ERR_clear_error()
            return .failed(EPROTO)
        }
    }

    /// File bytes must be encrypted here, so the kernel cannot send them by itself.
    package func sendFile(_ file: Int32, offset: Int64, count: Int) -> IOResult? { nil }

    package func finishSending() {
        ERR_clear_error()
        SSL_shutdown(session)
        System.shutdownWrite(descriptor)
    }
}
