/// One change of one object.
package struct ResourceEvent: Sendable {
    package enum Change: Sendable, Hashable {
        case added, modified, deleted
    }

    package let change: Change
    /// The object after the change; for a deletion its last state, under the version of the deletion.
    package let resource: Resource
    /// The object before the change; nil when it was added.
    package let previous: Resource?

    package var version: UInt64 { resource.version }
}

/// The recent changes of all kinds, oldest first. Bounded: a reader that falls behind must list again.
struct ResourceHistory {
    private var events: [ResourceEvent] = []
    private var head = 0
    private var bytes = 0
    /// Changes after this version are here.
    private(set) var oldestVersion: UInt64
    let eventCountMax: Int
    let bytesMax: Int

    init(startingAfter version: UInt64, eventCountMax: Int, bytesMax: Int) {
        oldestVersion = version
        self.eventCountMax = eventCountMax
        self.bytesMax = bytesMax
    }

    mutating func append(_ event: ResourceEvent) {
        events.append(event)
        bytes += event.resource.encoded.count
        while events.count - head > 1, events.count - head > eventCountMax || bytes > bytesMax {
            let dropped = events[head]
            bytes -= dropped.resource.encoded.count
            oldestVersion = dropped.version
            head += 1
        }
        if head > 256, head > events.count / 2 {
            events.removeFirst(head)
            head = 0
        }
    }

    /// The changes after `version`, at most `countMax` of them; nil when some are gone.
    func changes(after version: UInt64, countMax: Int) -> ArraySlice<ResourceEvent>? {
        guard version >= oldestVersion else { return nil }
        var low = head
        var high = events.count
        while low < high {
            let middle = (low + high) / 2
            if events[middle].version <= version { low = middle + 1 } else { high = middle }
        }
        return events[low..<min(events.count, low + countMax)]
    }
}
