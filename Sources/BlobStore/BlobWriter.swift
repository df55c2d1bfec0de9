// How bytes become durable, and why in two ways.
//
// A blob of at most `inlineBytesMax` never becomes a file: it goes into the index's own transaction, so that one
// group-committed fsync covers data and entry of every writer that waits at that moment. A file of its own costs two
// journal commits more (file, folder), which is what bounds small durable writes. Above that size the double write
// (log, then table) costs more than the commits it saves.
//
// A larger blob is written beside, under tmp/, renamed to its place, and then fsynced, file first and folder after it:
// in this order the journal commit of the file carries the rename too, and the folder's fsync, shared with the other
// writers of that folder, finds little to do. The name is an id that nothing refers to yet, so a file that
// is in place but not whole after a power cut is an orphan, collected at the next start. The index names the blob only
// after both fsyncs.
//
// Receiving, hashing and writing overlap: what has been gathered goes to two pool threads, one that hashes and one that
// writes, while the task gathers the next part. One such step is under way at a time, so memory is bounded by two parts.

import CLinux
import EventLoop
import Glibc

/// What a finished writer leaves: to be named by the index in the same transaction that makes it visible.
package struct StoredBlob: Sendable {
    package let id: BlobID
    package let size: Int64
    /// CRC-32C of each 1 MiB block.
    package let checksums: [UInt8]
    /// The bytes themselves when the blob is small; nil when they are in a file.
    package let data: [UInt8]?
}

/// Takes the bytes of one blob. Used by one task, call after call; ends with `persist` or `discard`.
///
/// `@unchecked Sendable`: while a step is under way `checksums` and the observer belong to its hashing thread, the
/// descriptor and the marks of what was written to its writing thread, and the rest to the task; the task touches them
/// only after it has waited for the step.
package final class BlobWriter: @unchecked Sendable {
    /// Told every byte, in order, before it is written; on a pool thread for large blobs.
    package typealias Observer = (UnsafeRawBufferPointer) -> Void

    /// Bytes gathered before a hop to the pool, so that the hop (20-30 us) is small beside hashing and writing them.
    private static let hopBytes = 1 << 20
    /// Pages written are handed to the disk from time to time, so that the final fsync has little left.
    private static let writebackBytes: Int64 = 8 << 20

    package let id: BlobID
    package private(set) var size: Int64 = 0

    private let store: BlobStore
    private let observer: Observer
    private var pending: [[UInt8]] = []
    private var pendingBytes = 0
    private var step: BlobWriteStep?
    /// Bytes given to steps so far: where the next one writes.
    private var handedOver: Int64 = 0
    private var descriptor: Int32 = -1
    private var writebackStart: Int64 = 0
    private var checksums = BlockChecksums()
    private var isPersisted = false

    init(store: BlobStore, id: BlobID, observer: @escaping Observer) {
        self.store = store
        self.id = id
        self.observer = observer
    }

    deinit { abandon() }

    /// Takes the next bytes. Throws `full` when the disk is, `busy` when too much disk work waits.
    package func append(_ bytes: [UInt8]) async throws(BlobError) {
        guard !bytes.isEmpty else { return }
        pending.append(bytes)
        pendingBytes += bytes.count
        size += Int64(bytes.count)
        guard pendingBytes >= Self.hopBytes else { return }
        try await finishStep()
        try startStep()
    }

    /// Ends the bytes: after this the observer has seen all of them, and nothing is durable yet.
    package func seal() async throws(BlobError) {
        if size > Int64(store.inlineBytesMax) {
            try await finishStep()
            if pendingBytes > 0 { try startStep() }
            try await finishStep()
            return
        }
        // At most 64 KiB: hashing them here costs less than a hop.
        hash(pending)
    }

    /// Makes the sealed bytes durable, or hands the small ones over to the index.
    package func persist() async throws(BlobError) -> StoredBlob {
        let encoded = checksums.finish()
        guard size > Int64(store.inlineBytesMax) else {
            isPersisted = true
            let data = pending.count == 1 ? pending[0] : Array(pending.joined())
            return StoredBlob(id: id, size: size, checksums: encoded, data: data)
        }
        try await store.onPool { () throws(BlobError) in
            try self.store.place(self.id)
            try FileSystem.sync(self.descriptor)
            try self.store.syncFolder(of: self.id)
            self.isPersisted = true
            self.closeFile()
        }
        return StoredBlob(id: id, size: size, checksums: encoded, data: nil)
    }

    /// Gives up a blob that the index will not name: its file goes.
    package func discard() async {
        try? await finishStep()
        _ = try? await store.onPool { () throws(BlobError) in self.abandon() }
    }

    // MARK: Steps

    private func finishStep() async throws(BlobError) {
        guard let step else { return }
        self.step = nil
        try await step.wait()
    }

    private func startStep() throws(BlobError) {
        let chunks = pending
        let offset = handedOver
        let step = BlobWriteStep()
        guard
            store.pool.submit({
                self.hash(chunks); step.end(nil)
            })
        else {
            throw BlobError(.busy, "the disk queue is full")
        }
        self.step = step
        if !store.pool.submit({ step.end(self.write(chunks, at: offset)) }) {
            step.end(BlobError(.busy, "the disk queue is full"))
        }
        handedOver += Int64(pendingBytes)
        pending = []
        pendingBytes = 0
    }

    private func hash(_ chunks: [[UInt8]]) {
        for chunk in chunks {
            chunk.withUnsafeBytes { bytes in
                checksums.update(bytes)
                observer(bytes)
            }
        }
    }

    /// Writes chunks at `offset`. On a pool thread.
    private func write(_ chunks: [[UInt8]], at offset: Int64) -> BlobError? {
        do throws(BlobError) {
            if descriptor < 0 {
                descriptor = try FileSystem.open(store.folder.temporaryFile(of: id), O_RDWR | O_CREAT | O_TRUNC)
            }
            try store.requireSpace(for: chunks.reduce(0) { $0 + Int64($1.count) })
            var offset = offset
            for chunk in chunks {
                try writeChunk(chunk, at: offset)
                offset += Int64(chunk.count)
            }
            if offset - writebackStart >= Self.writebackBytes {
                slipway_start_writeback(descriptor, writebackStart, offset - writebackStart)
                writebackStart = offset
            }
            return nil
        } catch {
            return error
        }
    }

    private func writeChunk(_ chunk: [UInt8], at offset: Int64) throws(BlobError) {
        var failure: BlobError?
        chunk.withUnsafeBytes { bytes in
            do throws(BlobError) { try FileSystem.write(descriptor, bytes, at: offset) } catch { failure = error }
        }
        if let failure { throw failure }
    }

    private func abandon() {
        guard descriptor >= 0 else { return }
        closeFile()
        guard !isPersisted else { return }
        // It has one of the two names, according to how far it came.
        try? FileSystem.remove(store.folder.temporaryFile(of: id))
        try? FileSystem.remove(store.folder.file(of: id))
    }

    private func closeFile() {
        close(descriptor)
        descriptor = -1
    }
}
