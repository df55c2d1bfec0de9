/// Every bound of the inference domain, with its default.
package struct InferenceLimits: Sendable {
    /// Models of one repository.
    package var modelCountMax = 4096
    /// Versions of a model that are loaded at once.
    package var versionCountMax = 64
    /// Requests that wait for one version of a model when its configuration sets no `max_queue_size`.
    package var queueCountMax = 1024
    /// Requests of one version that run at once, whatever `instance_group` says.
    package var instanceCountMax = 256
    /// Loads and unloads that wait for their turn.
    package var controlQueueCountMax = 64
    /// Bytes of a config.pbtxt.
    package var configurationBytesMax = 1 << 20
    /// Files of a model that is copied from an object store, and their bytes together.
    package var objectCountMax = 10_000
    package var objectBytesMax: Int64 = 64 << 30
    /// Batch sizes that statistics tell apart; larger ones count as this one.
    package var batchSizeStatisticsMax = 1024
    /// The longest `max_queue_delay_microseconds`.
    package var queueDelayMicrosecondsMax: UInt64 = 10_000_000

    package init() {}
}
