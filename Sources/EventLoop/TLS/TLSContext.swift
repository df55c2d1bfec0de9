// The server side of TLS on OpenSSL: 1.2 and 1.3, no renegotiation, no compression, HTTP/2 and HTTP/1.1 by ALPN.
// A context is made once from two PEM files and shared by all loops; each connection has its own session (`TLSTransport`).

import COpenSSL
import Glibc

/// Why a certificate or key could not be used.
package struct TLSError: Error, Equatable, CustomStringConvertible {
    /// What could not be done, and OpenSSL's reason.
    package let message: String
    package var description: String { message }

    init(_ doing: String) {
        var reason = ""
        let code = ERR_peek_last_error()
        if code != 0, let text = ERR_reason_error_string(code) { reason = ": " + String(cString: text) }
        ERR_clear_error()
        message = doing + reason
    }
}

/// A server's certificate, key and protocol rules.
///
/// `@unchecked Sendable`: complete before it is shared; OpenSSL counts and locks its uses.
package final class TLSContext: @unchecked Sendable {
    let raw: OpaquePointer

    /// Loads the certificate chain and key. Throws when a file is missing, is not PEM, or the two do not match.
    package init(_ configuration: TLSConfiguration) throws(TLSError) {
        // OpenSSL writes to the socket with write(2), which would raise SIGPIPE for a peer that has gone.
        signal(SIGPIPE, SIG_IGN)
        guard let raw = SSL_CTX_new(TLS_server_method()) else { throw TLSError("cannot start TLS") }
        self.raw = raw
        _ = slipway_ssl_ctx_set_min_version(raw, TLS1_2_VERSION)
        slipway_ssl_ctx_harden(raw)
        let mode = SSL_MODE_ENABLE_PARTIAL_WRITE | SSL_MODE_ACCEPT_MOVING_WRITE_BUFFER | SSL_MODE_RELEASE_BUFFERS
        _ = slipway_ssl_ctx_set_mode(raw, Int(mode))
        // Sessions resume by ticket; a cache on this side would only be shared state.
        SSL_CTX_set_alpn_select_cb(raw, Self.selectProtocol, nil)
        guard SSL_CTX_use_certificate_chain_file(raw, configuration.certificatePath) == 1 else {
            throw TLSError("the certificate file cannot be used")
        }
        guard SSL_CTX_use_PrivateKey_file(raw, configuration.privateKeyPath, SSL_FILETYPE_PEM) == 1 else {
            throw TLSError("the private key file cannot be used")
        }
        guard SSL_CTX_check_private_key(raw) == 1 else { throw TLSError("the private key is not the certificate's") }
    }

    deinit { SSL_CTX_free(raw) }

    /// Our protocols in ALPN's form, the preferred one first.
    private static let protocols: StaticString = "\u{2}h2\u{8}http/1.1"

    private static let selectProtocol:
        @convention(c) (
            OpaquePointer?, UnsafeMutablePointer<UnsafePointer<UInt8>?>?, UnsafeMutablePointer<UInt8>?,
            UnsafePointer<UInt8>?, UInt32, UnsafeMutableRawPointer?
        ) -> Int32 = { _, chosen, length, offered, offeredLength, _ in
            guard let chosen, let length, let offered else { return SSL_TLSEXT_ERR_NOACK }
            var pointer: UnsafeMutablePointer<UInt8>?
            let outcome = SSL_select_next_proto(
                &pointer, length, TLSContext.protocols.utf8Start, UInt32(TLSContext.protocols.utf8CodeUnitCount),
                offered, offeredLength)
            guard outcome == OPENSSL_NPN_NEGOTIATED else { return SSL_TLSEXT_ERR_ALERT_FATAL }
            chosen.pointee = UnsafePointer(pointer)
            return SSL_TLSEXT_ERR_OK
        }
}
