// Objects that were read lately, so that a small GET needs neither the index nor a thread hop (20-30 us each) and a
// larger one keeps its file open. Never stale: a change marks its keys before its transaction begins and lets go of
// them after it is durable; in between the keys are neither found here nor taken in, and what was read from the index
// before a change is not taken in after it.

import BlobStore
import Synchronization

/// Recently read objects by bucket and key, bounded in number, bytes and open files.
final class ObjectCache: Sendable {
    struct Name: Hashable, Sendable {
        let bucket: String
        let key: ObjectKey
    }

    struct Entry: Sendable {
        let owner: String
        let object: ObjectInfo
        let extents: [Extent]
        /// The open file of an object that has exactly one.
        let file: BlobFile?

        fileprivate var byteCount: Int { extents.reduce(256) { $0 + ($1.data?.count ?? 0) + $1.checksums.count } }
    }

    /// Says what had been changed when the index was read.
    struct Token: Sendable { fileprivate let generation: UInt64 }

    private struct Shard {
        var entries: [Name: Entry] = [:]
        var byteCount = 0
        var fileCount = 0
        var changing: [Name: Int] = [:]
        var generation: UInt64 = 0

        mutating func remove(_ name: Name) {
            guard let entry = entries.removeValue(forKey: name) else { return }
            byteCount -= entry.byteCount
            if entry.file != nil { fileCount -= 1 }
        }
    }

    private static let shardCount = 16
    private static let byteCountMax = 1 << 20
    private static let entryCountMax = 512
    private static let fileCountMax = 16
    /// Objects of more parts than this are read anew each time.
    private static let extentCountMax = 16

    private let shards = (0..<shardCount).map { _ in Box() }

    /// A mutex cannot be an element of an array by itself.
    private final class Box: Sendable {
        private let shard = Mutex(Shard())

        func withLock<Value: Sendable>(_ body: (inout Shard) -> Value) -> Value { shard.withLock { body(&$0) } }
    }

    func find(_ name: Name) -> Entry? {
        shard(name).withLock { $0.changing[name] == nil ? $0.entries[name] : nil }
    }

    /// To be taken before the index is read.
    func token(_ name: Name) -> Token { Token(generation: shard(name).withLock { $0.generation }) }

    /// Takes in what the index said, unless something near it was changed since `token`.
    func insert(_ name: Name, _ entry: Entry, _ token: Token) {
        guard entry.extents.count <= Self.extentCountMax else { return }
        shard(name).withLock { shard in
            guard shard.generation == token.generation, shard.changing[name] == nil else { return }
            shard.remove(name)
            let isFull = { (shard: Shard) in
                shard.entries.count >= Self.entryCountMax || shard.byteCount + entry.byteCount > Self.byteCountMax
                    || (entry.file != nil && shard.fileCount >= Self.fileCountMax)
            }
            // Any entry may go; it costs one look-up to have it back.
            while isFull(shard), let victim = shard.entries.keys.first { shard.remove(victim) }
            shard.entries[name] = entry
            shard.byteCount += entry.byteCount
            if entry.file != nil { shard.fileCount += 1 }
        }
    }

    /// Marks `names` as changing. Each call is followed by one of `end`, when the change is durable or has failed.
    func begin(_ names: [Name]) {
        for name in names {
            shard(name).withLock { shard in
                shard.changing[name, default: 0] += 1
                shard.generation += 1
                shard.remove(name)
            }
        }
    }

    func end(_ names: [Name]) {
        for name in names {
            shard(name).withLock { shard in
                let count = (shard.changing[name] ?? 1) - 1
                shard.changing[name] = count == 0 ? nil : count
                shard.generation += 1
            }
        }
    }

    private func shard(_ name: Name) -> Box { shards[Int(UInt(bitPattern: name.hashValue) % UInt(Self.shardCount))] }
}
