// Reading files over SFTP, by libcurl and its libssh2. Rarely used and never on a hot path, so each operation is one
// blocking transfer on the calling thread, with a connection of its own.

import Bytes
import CCurl

/// Reads from one server. All operations block: not to be called on an event loop.
package struct SFTPClient: Sendable {
    package let location: SFTPLocation
    private let credential: SFTPCredential

    /// Time for the connection and the handshake, and the longest silence after it.
    private static let connectSeconds = 15
    private static let stallSeconds = 60
    private static let listingBytesMax = 4 << 20

    package init(location: SFTPLocation, credential: SFTPCredential) {
        self.location = location
        self.credential = credential
    }

    /// The names in a folder below the location, without `.` and `..`. Throws `SFTPError`.
    package func names(_ folder: String) throws(SFTPError) -> [String] {
        var text: [UInt8] = []
        try perform(folder + "/", listing: true) { bytes in
            guard text.count + bytes.count <= Self.listingBytesMax else { return false }
            text.append(contentsOf: bytes)
            return true
        }
        return String(utf8: text).pieces(by: "\n").map(String.init).filter { $0 != "." && $0 != ".." }
    }

    /// Hands the bytes of a file below the location to `receive`, which returns false to stop. Throws `SFTPError`.
    package func read(_ file: String, _ receive: @escaping (UnsafeRawBufferPointer) -> Bool) throws(SFTPError) {
        try perform(file, listing: false, receive)
    }

    private final class Sink {
        let receive: (UnsafeRawBufferPointer) -> Bool
        init(_ receive: @escaping (UnsafeRawBufferPointer) -> Bool) { self.receive = receive }
    }

    private func perform(
        _ path: String, listing: Bool, _ receive: (UnsafeRawBufferPointer) -> Bool
    ) throws(SFTPError) {
        guard let handle = EasyHandle() else { throw SFTPError(.failed, "no memory for a connection") }
        let result = withoutActuallyEscaping(receive) { receive in
            let sink = Sink(receive)
            configure(handle, path, listing: listing)
            slipway_curl_set_data_callback(handle.raw, CURLOPT_WRITEFUNCTION) { bytes, size, count, context in
                guard let bytes, let context else { return 0 }
                let sink = Unmanaged<Sink>.fromOpaque(context).takeUnretainedValue()
                let block = UnsafeRawBufferPointer(start: bytes, count: size * count)
                return sink.receive(block) ? size * count : 0
            }
            handle.set(CURLOPT_WRITEDATA, context: Unmanaged.passUnretained(sink).toOpaque())
            return withExtendedLifetime(sink) { curl_easy_perform(handle.raw) }
        }
        guard result == CURLE_OK else {
            throw SFTPError(result, detail: handle.errorMessage, host: location.name)
        }
    }

    private func configure(_ handle: EasyHandle, _ path: String, listing: Bool) {
        handle.useErrorText()
        handle.set(CURLOPT_NOSIGNAL, true)
        handle.set(CURLOPT_PROTOCOLS_STR, "sftp")
        handle.set(CURLOPT_PROXY, "")
        let whole = "\(location.path)/\(path)"
        handle.set(CURLOPT_URL, "sftp://\(location.name)\(PercentCoding.encode(whole, keepingSlash: true))")
        handle.set(CURLOPT_USERNAME, credential.user)
        handle.set(CURLOPT_CONNECTTIMEOUT, Self.connectSeconds)
        handle.set(CURLOPT_LOW_SPEED_LIMIT, 1)
        handle.set(CURLOPT_LOW_SPEED_TIME, Self.stallSeconds)
        if listing { handle.set(CURLOPT_DIRLISTONLY, true) }
        var methods = 0
        if let key = credential.keyPath {
            methods |= Int(CURLSSH_AUTH_PUBLICKEY)
            handle.set(CURLOPT_SSH_PRIVATE_KEYFILE, key)
            if let passphrase = credential.passphrase { handle.set(CURLOPT_KEYPASSWD, passphrase) }
        }
        if let password = credential.password {
            methods |= Int(CURLSSH_AUTH_PASSWORD) | Int(CURLSSH_AUTH_KEYBOARD)
            handle.set(CURLOPT_PASSWORD, password)
        }
        handle.set(CURLOPT_SSH_AUTH_TYPES, methods)
        // With either set, libcurl refuses a host whose key is not the one named or not in the file.
        if let fingerprint = credential.hostKeySHA256 {
            handle.set(CURLOPT_SSH_HOST_PUBLIC_KEY_SHA256, fingerprint)
        } else {
            handle.set(CURLOPT_SSH_KNOWNHOSTS, credential.knownHostsPath ?? "/dev/null")
        }
    }
}
