/// Every bound of a pool of workers, with its default.
package struct WorkerLimits: Sendable {
    /// Requests that wait for a worker. Over it: `overloaded`.
    package var queueCountMax = 256
    /// Bytes of the requests that wait, one alone excepted. Over it: `overloaded`.
    package var queueBytesMax = 512 << 20
    /// From the request to its answer, waiting included.
    package var requestMilliseconds: UInt64 = 60_000
    /// From the start of the process to the loaded model.
    package var loadMilliseconds: UInt64 = 300_000
    /// From the wish to end to SIGKILL.
    package var stopMilliseconds: UInt64 = 2_000
    /// Bytes of one answer.
    package var replyBytesMax = 256 << 20
    /// The wait before a process that died is replaced, doubled each time up to the second figure, and from the start
    /// again once one has lived for `healthyMilliseconds`.
    package var backOffMilliseconds: UInt64 = 100
    package var backOffMillisecondsMax: UInt64 = 30_000
    package var healthyMilliseconds: UInt64 = 30_000

    package init() {}
}
