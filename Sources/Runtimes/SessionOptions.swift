/// How a session computes.
package struct SessionOptions: Sendable, Equatable {
    /// Threads that share one operator's work, the caller's included; 1 to 256.
    package var intraOpThreadCount = 1
    /// Threads that run independent operators; 1 to 256. ONNX Runtime only.
    package var interOpThreadCount = 1
    /// Runs that are meant to go on at once; 1 to 256. OpenVINO keeps a copy of the working memory for each.
    package var concurrentRunCount = 1

    package init() {}
}
