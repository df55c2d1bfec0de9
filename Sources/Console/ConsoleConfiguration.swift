/// What one console shows and where its servers are.
package struct ConsoleConfiguration: Sendable {
    /// Which part of the console is served.
    package enum Scope: String, Sendable {
        /// Objects, and every other server whose address is known.
        case everything
        /// The object store alone: what `slipway store --console-address` opens.
        case objects
    }

    package var scope = Scope.everything
    /// The object store, `http://127.0.0.1:9000`; log-ins are checked with it.
    package var storeURL: String
    /// A PEM file of authorities to trust for a store over TLS; nil trusts the system's.
    package var storeAuthorityPath: String?
    /// Where people reach the store, for links that are shared; `storeURL` when nil. A loopback address in it gives way to
    /// the host by which the browser reached the console.
    package var publicStoreURL: String?
    /// The region that requests to the store are signed for.
    package var region = "us-east-1"
    /// The tracking server; nil leaves its pages out.
    package var trackURL: String?
    /// The inference server's HTTP port; nil leaves its pages out.
    package var inferURL: String?
    /// The container registry; nil leaves it out of the overview.
    package var registryURL: String?
    /// The client configuration of the cluster; nil leaves its pages out. Read when it is needed, since the cluster may
    /// write it later than the console starts.
    package var kubeconfigPath: String?
    /// The console's own port: names the cookie, because browsers share cookies between the ports of a host.
    package var port = 9001
    package var limits = ConsoleLimits()

    package init(storeURL: String) {
        self.storeURL = storeURL.hasSuffix("/") ? String(storeURL.dropLast()) : storeURL
    }
}

/// Every bound of the console, with its default.
package struct ConsoleLimits: Sendable {
    /// Sessions at once; over it the one that was idle longest ends.
    package var sessionCountMax = 256
    /// A session ends after this time without a request.
    package var sessionIdleSeconds: UInt64 = 3600
    /// A session ends after this time in any case.
    package var sessionLifeSeconds: UInt64 = 12 * 3600
    /// Log-ins that one address may try and fail within `attemptWindowSeconds`. Over it: 429.
    package var attemptCountMax = 10
    package var attemptWindowSeconds: UInt64 = 60
    /// Addresses whose attempts are remembered.
    package var attemptAddressCountMax = 1024
    /// Bytes of a body that is not an upload. Over it: 413.
    package var bodyBytesMax = 1 << 20
    /// Bytes of one uploaded object: what S3 takes in one request. Over it: 413.
    package var uploadBytesMax = 5 << 30
    /// How long the overview waits for one server.
    package var probeMilliseconds: UInt64 = 2000

    package init() {}
}
