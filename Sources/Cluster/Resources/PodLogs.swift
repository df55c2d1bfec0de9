// How the API reaches the logs that pods' containers wrote. Whoever runs the pods supplies the source.

/// Which part of a container's log to read and how to show it.
package struct PodLogOptions: Sendable, Equatable {
    /// Go on with what is written until the container has ended.
    package var isFollowing = false
    /// Only the last lines; nil is all.
    package var tailLines: Int?
    /// Only lines younger than this; nil is all.
    package var sinceSeconds: Int64?
    /// Only lines from this moment on (RFC 3339); nil is all.
    package var sinceTime: String?
    /// Put the time of writing before each line.
    package var hasTimestamps = false
    /// Of the container's run before its last start.
    package var isPrevious = false
    /// End after this many bytes; nil is no bound.
    package var limitBytes: Int?

    package init() {}
}

/// A log to pull from. One task uses it.
package protocol PodLogReader: AnyObject, Sendable {
    /// The next bytes, waiting for them when following; nil at the end. At most 256 KiB.
    func next() async throws -> [UInt8]?
}

/// Opens logs.
package protocol PodLogSource: Sendable {
    /// The log of `container` of `pod`. Throws `ClusterError`: `.badRequest` when the container has not started
    /// (`container "main" in pod "x" is waiting to start: ContainerCreating`) or there is no previous run.
    func openLog(_ pod: Resource, container: String, _ options: PodLogOptions) async throws -> any PodLogReader
}
