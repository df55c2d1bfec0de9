// When may a file that nothing in the index names any more be removed? Readers look a blob up in the index and then
// open its file; a writer that replaces the object in between must not take the file away under them. So every
// look-up is bracketed by `enter` and `leave`, and a discarded blob goes only when all look-ups that began before it
// was discarded have ended (epochs) and no reader has it pinned (objects of many parts open their files as they go).

import Synchronization

/// Decides when discarded blobs may be removed.
package final class Reclaimer: Sendable {
    /// A look-up in progress.
    package struct Ticket: Sendable { fileprivate let epoch: UInt64 }

    private struct State {
        var epoch: UInt64 = 0
        var readers: [UInt64: Int] = [:]
        var pins: [BlobID: Int] = [:]
        var garbage: [(epoch: UInt64, id: BlobID)] = []
    }

    private let state = Mutex(State())

    init() {}

    package func enter() -> Ticket {
        state.withLock { state in
            state.readers[state.epoch, default: 0] += 1
            return Ticket(epoch: state.epoch)
        }
    }

    package func leave(_ ticket: Ticket) {
        state.withLock { state in
            let count = (state.readers[ticket.epoch] ?? 1) - 1
            state.readers[ticket.epoch] = count == 0 ? nil : count
        }
    }

    /// Keeps `ids` until `unpin`. To be called between `enter` and `leave`.
    package func pin(_ ids: [BlobID]) {
        state.withLock { state in for id in ids { state.pins[id, default: 0] += 1 } }
    }

    package func unpin(_ ids: [BlobID]) {
        state.withLock { state in
            for id in ids {
                let count = (state.pins[id] ?? 1) - 1
                state.pins[id] = count == 0 ? nil : count
            }
        }
    }

    /// Adds blobs that the index, durably, names no more, and takes out those that may be removed now.
    func discard(_ ids: [BlobID]) -> [BlobID] {
        state.withLock { state in
            if !ids.isEmpty {
                state.epoch += 1
                for id in ids { state.garbage.append((state.epoch, id)) }
            }
            guard !state.garbage.isEmpty else { return [] }
            let oldest = state.readers.keys.min() ?? .max
            var ready: [BlobID] = []
            state.garbage.removeAll { item in
                guard item.epoch <= oldest, state.pins[item.id] == nil else { return false }
                ready.append(item.id)
                return true
            }
            return ready
        }
    }

    /// True when something waits for a reader to end.
    var hasGarbage: Bool { state.withLock { !$0.garbage.isEmpty } }
}
