// A descriptor as its loop sees it: three flags and at most one waiting reader and one waiting writer. Registered once,
// edge-triggered: a flag is set by an event and cleared only by an attempt that would have blocked, so no wake-up is lost.

import CLinux
package import Clock

/// Why waiting for a descriptor ended without it becoming ready.
package enum ChannelFailure: Error, Equatable {
    case timedOut
    /// `abort` was called: shutdown, or the task was cancelled.
    case aborted
}

/// A watched descriptor. Confined to its loop's thread.
package final class Channel: @unchecked Sendable {
    package let descriptor: Int32
    package let loop: EventLoop
    var slot: Int?

    private var isReadable = true
    private var isWritable = true
    private var failure: ChannelFailure?
    private var reader: UnsafeContinuation<Void, Never>?
    private var writer: UnsafeContinuation<Void, Never>?
    private var readerDeadline: MonotonicTime?
    private var writerDeadline: MonotonicTime?
    /// True when the reader's deadline only ends its wait, not the channel.
    private var readerMayGoOn = false
    private var peerClosedAt: MonotonicTime?

    /// Called once when the peer has been gone for a tick while nobody waits to read: a handler is still at work.
    package var onPeerClosed: (() -> Void)?

    /// Called about every 250 ms with the turn's time: for deadlines other than a wait's.
    package var onTick: ((MonotonicTime) -> Void)?

    /// Set by a listener, which waits in no task: called for each event instead of resuming a reader.
    var onReadable: (() -> Void)?

    package init(descriptor: Int32, loop: EventLoop) {
        self.descriptor = descriptor
        self.loop = loop
    }

    package func register() throws(SystemError) { try loop.register(self, edgeTriggered: true) }

    /// The peer's address as `host:port`; empty when it has gone.
    package var peerName: String { System.peerName(descriptor) }

    /// Closes a descriptor that `register` refused.
    package func closeUnregistered() { System.close(descriptor) }

    /// Stops watching and closes the descriptor. Waiters have ended before.
    package func close() {
        guard slot != nil else { return }
        loop.deregister(self)
        System.close(descriptor)
    }

    // MARK: Waiting

    package func noteReadWouldBlock() { isReadable = false }

    /// Call after a read that filled less than its buffer: there is nothing more now, unless the peer has closed, which
    /// one more read will tell. Spares a read that would block.
    package func noteShortRead() { if peerClosedAt == nil { isReadable = false } }

    package func noteWriteWouldBlock() { isWritable = false }

    /// False when an attempt to read would surely block.
    package var mayBeReadable: Bool { isReadable }

    /// Waits until a read may succeed. Throws when `timeoutMilliseconds` pass first or the channel is aborted.
    package func readable(timeoutMilliseconds: UInt64) async throws(ChannelFailure) {
        if let failure { throw failure }
        guard !isReadable else { return }
        precondition(reader == nil, "one reader at a time")
        await waitToRead(timeoutMilliseconds)
        if let failure { throw failure }
    }

    /// Waits until a read may succeed, or for `milliseconds`; false when they passed first, which leaves the channel as
    /// it was. Throws when the channel is aborted.
    package func readable(withinMilliseconds milliseconds: UInt64) async throws(ChannelFailure) -> Bool {
        if let failure { throw failure }
        guard !isReadable else { return true }
        precondition(reader == nil, "one reader at a time")
        readerMayGoOn = true
        await waitToRead(milliseconds)
        readerMayGoOn = false
        if let failure { throw failure }
        return isReadable
    }

    private func waitToRead(_ timeoutMilliseconds: UInt64) async {
        readerDeadline = loop.turnTime.advanced(milliseconds: timeoutMilliseconds)
        await withUnsafeContinuation { reader = $0 }
        readerDeadline = nil
    }

    /// Waits until a write may succeed.
    package func writable(timeoutMilliseconds: UInt64) async throws(ChannelFailure) {
        if let failure { throw failure }
        guard !isWritable else { return }
        precondition(writer == nil, "one writer at a time")
        writerDeadline = loop.turnTime.advanced(milliseconds: timeoutMilliseconds)
        await withUnsafeContinuation { writer = $0 }
        writerDeadline = nil
        if let failure { throw failure }
    }

    /// Makes every present and later wait throw `aborted`. Call on the loop.
    package func abort() { fail(.aborted) }

    /// True once the peer has closed its side, or the whole connection.
    package var isPeerClosed: Bool { peerClosedAt != nil }

    private func fail(_ reason: ChannelFailure) {
        if failure == nil { failure = reason }
        resume(&reader)
        resume(&writer)
    }

    private func resume(_ waiter: inout UnsafeContinuation<Void, Never>?) {
        guard let waiting = waiter else { return }
        waiter = nil
        waiting.resume()
    }

    // MARK: Called by the loop

    func ready(_ events: UInt32) {
        if let onReadable { return onReadable() }
        if events & (EPOLLIN.rawValue | EPOLLRDHUP.rawValue | EPOLLHUP.rawValue | EPOLLERR.rawValue) != 0 {
            isReadable = true
            resume(&reader)
        }
        if events & (EPOLLOUT.rawValue | EPOLLHUP.rawValue | EPOLLERR.rawValue) != 0 {
            isWritable = true
            resume(&writer)
        }
        if events & (EPOLLRDHUP.rawValue | EPOLLHUP.rawValue | EPOLLERR.rawValue) != 0, peerClosedAt == nil {
            peerClosedAt = loop.turnTime
        }
    }

    func tick(_ now: MonotonicTime) {
        onTick?(now)
        if let readerDeadline, now >= readerDeadline {
            self.readerDeadline = nil
            if readerMayGoOn { resume(&reader) } else { fail(.timedOut) }
        }
        if let writerDeadline, now >= writerDeadline { fail(.timedOut) }
        // A half-closed peer may still read the answer, so the handler gets one tick of grace.
        if let peerClosedAt, reader == nil, now > peerClosedAt, let action = onPeerClosed {
            onPeerClosed = nil
            action()
        }
    }
}
