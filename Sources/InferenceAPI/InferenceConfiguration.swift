package import Metrics

/// How the inference protocols are served.
package struct InferenceConfiguration: Sendable {
    /// The server's name in its metadata.
    package var serverName = "slipway"
    package var serverVersion = "0"
    /// Bytes of a request body, compressed or not.
    package var bodyBytesMax = 256 << 20
    /// Where requests are counted; nil counts nowhere.
    package var metrics: MetricsRegistry?

    package init() {}
}
