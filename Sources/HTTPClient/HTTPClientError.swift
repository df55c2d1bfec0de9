import CCurl

/// Why a request to another server failed before or within its response.
package struct HTTPClientError: Error, Sendable {
    package enum Code: Sendable {
        /// The URL, method or a field cannot be sent.
        case invalidRequest
        /// The host name has no address.
        case unresolved
        /// No connection: refused, unreachable, or not within the connect timeout.
        case unreachable
        /// The TLS handshake failed or the certificate is not trusted.
        case untrusted
        /// The request's timeout or the stall timeout passed.
        case timeout
        /// The peer closed or reset before the end.
        case closed
        /// The peer's answer is not HTTP, or over the client's limits.
        case malformedResponse
        /// As many transfers as the client may hold are under way.
        case tooManyTransfers
        /// The body to upload gave fewer or more bytes than it declared, or could not be read.
        case uploadFailed
        /// libcurl could not do what was asked.
        case failed
    }

    package let code: Code
    /// One line for a log or a user; names the host, never a credential.
    package let message: String

    package init(_ code: Code, _ message: String) {
        self.code = code
        self.message = message
    }

    /// The error of a finished transfer. `detail` is libcurl's own text for it, possibly empty.
    init(_ result: CURLcode, detail: String) {
        let code: Code =
            switch result {
            case CURLE_URL_MALFORMAT, CURLE_UNSUPPORTED_PROTOCOL: .invalidRequest
            case CURLE_COULDNT_RESOLVE_HOST, CURLE_COULDNT_RESOLVE_PROXY: .unresolved
            case CURLE_COULDNT_CONNECT: .unreachable
            case CURLE_PEER_FAILED_VERIFICATION, CURLE_SSL_CONNECT_ERROR, CURLE_SSL_CACERT_BADFILE,
                CURLE_SSL_CERTPROBLEM:
                .untrusted
            case CURLE_OPERATION_TIMEDOUT: .timeout
            case CURLE_GOT_NOTHING, CURLE_SEND_ERROR, CURLE_RECV_ERROR, CURLE_PARTIAL_FILE, CURLE_HTTP2_STREAM: .closed
            case CURLE_WEIRD_SERVER_REPLY, CURLE_WRITE_ERROR, CURLE_HTTP2, CURLE_TOO_MANY_REDIRECTS:
                .malformedResponse
            case CURLE_READ_ERROR, CURLE_ABORTED_BY_CALLBACK, CURLE_SEND_FAIL_REWIND: .uploadFailed
            default: .failed
            }
        self.init(code, detail.isEmpty ? String(cString: curl_easy_strerror(result)) : detail)
    }
}

extension HTTPClientError: CustomStringConvertible {
    package var description: String { message }
}
