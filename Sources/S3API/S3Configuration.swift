/// What the S3 front of a store is told at start.
package struct S3Configuration: Sendable {
    /// Everybody who may use the store; the first is the root user.
    package var credentials: [StoreCredential]
    /// The region that clients must sign for; nil takes any and calls itself `us-east-1`.
    package var region: String?
    /// Domains under which buckets are addressed as host names; empty for path style only.
    package var domains: [String] = []
    /// True shows metrics to everybody; false asks for the root user's credentials.
    package var metricsArePublic = false

    package init(credentials: [StoreCredential]) { self.credentials = credentials }
}
