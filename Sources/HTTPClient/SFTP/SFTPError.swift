import CCurl

/// Why a server could not be read over SFTP.
package struct SFTPError: Error, Sendable, Equatable {
    package enum Code: Sendable {
        case notFound
        /// The user, the password or the key is refused.
        case denied
        /// The host key is not one that is trusted.
        case untrusted
        /// No connection, or none any more.
        case unreachable
        /// The caller wanted no more bytes.
        case stopped
        case failed
    }

    package let code: Code
    /// One clause; names the host, never a password.
    package let message: String

    package init(_ code: Code, _ message: String) {
        self.code = code
        self.message = message
    }

    init(_ result: CURLcode, detail: String, host: String) {
        let text = detail.isEmpty ? String(cString: curl_easy_strerror(result)) : detail
        switch result {
        case CURLE_REMOTE_FILE_NOT_FOUND: self.init(.notFound, "it is not there")
        case CURLE_LOGIN_DENIED: self.init(.denied, "\(host) refuses the user, the password or the key")
        case CURLE_REMOTE_ACCESS_DENIED: self.init(.denied, "\(host) does not let this user read it")
        case CURLE_PEER_FAILED_VERIFICATION:
            self.init(.untrusted, "the host key of \(host) is not among those that are trusted")
        case CURLE_COULDNT_CONNECT, CURLE_COULDNT_RESOLVE_HOST, CURLE_OPERATION_TIMEDOUT:
            self.init(.unreachable, "\(host) did not answer: \(text)")
        case CURLE_WRITE_ERROR: self.init(.stopped, "no more was wanted")
        default: self.init(.failed, "\(host): \(text)")
        }
    }
}
