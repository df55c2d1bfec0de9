// Group commit for folder entries. Many writers rename files into one folder at the same time; one fsync of that
// folder that starts after their renames makes all of them durable. The first writer to arrive leads, the ones that
// come while it syncs wait and are covered by the next round.

import Glibc

/// Makes renames into folders durable, sharing one fsync between the threads that wait for the same folder.
///
/// `@unchecked Sendable`: `rounds` is touched only with `mutex` held.
final class FolderSync: @unchecked Sendable {
    private struct Round {
        var started: UInt64 = 0
        var finished: UInt64 = 0
        var running = false
        var waiting = 0
        var failure: (round: UInt64, error: BlobError)?
    }

    private let mutex = UnsafeMutablePointer<pthread_mutex_t>.allocate(capacity: 1)
    private let condition = UnsafeMutablePointer<pthread_cond_t>.allocate(capacity: 1)
    private var rounds: [String: Round] = [:]

    init() {
        pthread_mutex_init(mutex, nil)
        pthread_cond_init(condition, nil)
    }

    deinit {
        pthread_cond_destroy(condition)
        pthread_mutex_destroy(mutex)
        condition.deallocate()
        mutex.deallocate()
    }

    /// Returns when every entry made in the folder before the call is durable. Blocks.
    func sync(_ folder: String) throws(BlobError) {
        pthread_mutex_lock(mutex)
        defer { pthread_mutex_unlock(mutex) }
        // A round that runs now may have started before our rename reached the folder: wait for the one after it.
        let target = rounds[folder, default: Round()].started + 1
        rounds[folder, default: Round()].waiting += 1
        defer { leave(folder) }
        while let round = rounds[folder], round.finished < target {
            if round.running {
                pthread_cond_wait(condition, mutex)
                continue
            }
            lead(folder)
        }
        if let failure = rounds[folder]?.failure, failure.round >= target { throw failure.error }
    }

    /// Runs one round. The mutex is held on entry and on return, and free while the disk works.
    private func lead(_ folder: String) {
        rounds[folder]?.running = true
        rounds[folder]?.started += 1
        let number = rounds[folder]?.started ?? 0
        pthread_mutex_unlock(mutex)
        var failure: BlobError?
        do { try FileSystem.syncFolder(folder) } catch { failure = error }
        pthread_mutex_lock(mutex)
        rounds[folder]?.running = false
        rounds[folder]?.finished = number
        if let failure { rounds[folder]?.failure = (number, failure) }
        pthread_cond_broadcast(condition)
    }

    private func leave(_ folder: String) {
        rounds[folder]?.waiting -= 1
        if rounds[folder]?.waiting == 0 { rounds[folder] = nil }
    }
}
