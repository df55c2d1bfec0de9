// The awaiting layer between a transport and the protocols: read some, write all, send a file. Every wait has a time
// limit, which is also what bounds a peer that sends or reads too slowly.

import Clock

/// Why a stream ended.
package enum StreamError: Error, Equatable {
    /// The peer has gone.
    case closed
    case timedOut
    case aborted
    case failed(Int32)
    /// A file to send ended before its range did, or could not be read.
    case fileTooShort
}

/// Bytes to and from one peer. Confined to its loop: one reader and one writer at a time.
package final class ByteStream: @unchecked Sendable {
    package let channel: Channel
    package let transport: any Transport
    package let peer: String
    package let isTLS: Bool

    /// Bytes after which a transfer that never waits lets other connections have a turn.
    package static let bytesPerTurnMax = 4 << 20

    package init(channel: Channel, transport: any Transport, peer: String, isTLS: Bool) {
        self.channel = channel
        self.transport = transport
        self.peer = peer
        self.isTLS = isTLS
    }

    package var loop: EventLoop { channel.loop }

    /// Reads what has arrived, at least one byte; 0 at the end of input.
    package func read(
        into buffer: UnsafeMutableRawBufferPointer, timeoutMilliseconds: UInt64
    ) async throws(StreamError) -> Int {
        while true {
            switch receiveNow(buffer) {
            case .bytes(let count): return count
            case .closed: return 0
            case .failed(let code): throw .failed(code)
            case .wouldBlock: try await waitReadable(timeoutMilliseconds: timeoutMilliseconds)
            }
        }
    }

    /// Reads what has arrived, without waiting.
    package func receiveNow(_ buffer: UnsafeMutableRawBufferPointer) -> IOResult {
        let result = transport.receive(buffer)
        switch result {
        case .wouldBlock: channel.noteReadWouldBlock()
        case .bytes(let count) where count < buffer.count && transport.readsAreWhole: channel.noteShortRead()
        default: break
        }
        return result
    }

    /// Waits until reading may give something, without holding a buffer.
    package func waitReadable(timeoutMilliseconds: UInt64) async throws(StreamError) {
        do throws(ChannelFailure) {
            try await channel.readable(timeoutMilliseconds: timeoutMilliseconds)
        } catch {
            throw error == .timedOut ? .timedOut : .aborted
        }
    }

    /// Waits until sending may make progress.
    package func waitWritable(timeoutMilliseconds: UInt64) async throws(StreamError) {
        do throws(ChannelFailure) {
            try await channel.writable(timeoutMilliseconds: timeoutMilliseconds)
        } catch {
            throw error == .timedOut ? .timedOut : .aborted
        }
    }

    /// Sends what the socket takes of `bytes` from `offset` on, without waiting.
    package func trySend(_ bytes: [UInt8], from offset: Int) -> IOResult {
        let result = bytes.withUnsafeBytes {
            transport.send(UnsafeRawBufferPointer(rebasing: $0[offset...]), more: false)
        }
        if result == .wouldBlock { channel.noteWriteWouldBlock() }
        return result
    }

    /// Sends what the socket takes of `bytes` now and returns how much; 0 also when the stream has failed, which the
    /// next waiting call will report.
    package func sendNow(_ bytes: [UInt8]) -> Int {
        switch bytes.withUnsafeBytes({ transport.send($0, more: false) }) {
        case .bytes(let count): return count
        case .wouldBlock:
            channel.noteWriteWouldBlock()
            return 0
        case .closed, .failed: return 0
        }
    }

    /// Sends all of `bytes`.
    package func write(_ bytes: [UInt8], more: Bool = false, timeoutMilliseconds: UInt64) async throws(StreamError) {
        var sent = 0
        while sent < bytes.count {
            let result = bytes.withUnsafeBytes {
                transport.send(UnsafeRawBufferPointer(rebasing: $0[sent...]), more: more)
            }
            sent += try await progress(result, timeoutMilliseconds: timeoutMilliseconds)
        }
    }

    /// Sends `range` of an open file: by `sendfile` where the transport can, else through a buffer.
    package func sendFile(
        _ file: Int32, range: Range<Int64>, timeoutMilliseconds: UInt64
    ) async throws(StreamError) {
        var offset = range.lowerBound
        var ready = offset
        while offset < range.upperBound {
            if offset >= ready {
                // A peer that takes everything at once must not keep the loop from its other connections.
                if offset - range.lowerBound >= Self.bytesPerTurnMax { await loop.nextTurn() }
                ready = min(offset + 1 << 20, range.upperBound)
                await FileReads.bringIn(file, offset: offset, count: Int(ready - offset))
            }
            let count = Int(ready - offset)
            guard let result = transport.sendFile(file, offset: offset, count: count) else {
                try await copyFile(file, offset..<range.upperBound, timeoutMilliseconds: timeoutMilliseconds)
                return
            }
            // sendfile answers 0 at the end of the file, which looks like a closed peer.
            if result == .closed { throw channel.isPeerClosed ? .closed : .fileTooShort }
            offset += Int64(try await progress(result, timeoutMilliseconds: timeoutMilliseconds))
        }
    }

    private func copyFile(_ file: Int32, _ range: Range<Int64>, timeoutMilliseconds: UInt64) async throws(StreamError) {
        var offset = range.lowerBound
        while offset < range.upperBound {
            let count = Int(min(range.upperBound - offset, 128 * 1024))
            let bytes = await FileReads.read(file, offset: offset, count: count)
            guard !bytes.isEmpty else { throw .fileTooShort }
            try await write(
                bytes, more: offset + Int64(bytes.count) < range.upperBound, timeoutMilliseconds: timeoutMilliseconds)
            offset += Int64(bytes.count)
            if offset - range.lowerBound >= Self.bytesPerTurnMax { await loop.nextTurn() }
        }
    }

    private func progress(_ result: IOResult, timeoutMilliseconds: UInt64) async throws(StreamError) -> Int {
        switch result {
        case .bytes(let count): return count
        case .closed: throw .closed
        case .failed(let code): throw .failed(code)
        case .wouldBlock:
            channel.noteWriteWouldBlock()
            do throws(ChannelFailure) {
                try await channel.writable(timeoutMilliseconds: timeoutMilliseconds)
            } catch {
                throw error == .timedOut ? .timedOut : .aborted
            }
            return 0
        }
    }

    /// Closes in order: tells the peer, then reads and drops what it still sends, for at most `lingerMilliseconds`, so
    /// that the kernel does not answer unread bytes with a reset that would destroy our last response.
    package func closeGracefully(lingerMilliseconds: UInt64) async {
        transport.finishSending()
        let slab = loop.buffers.take()
        let deadline = MonotonicTime.now.advanced(milliseconds: lingerMilliseconds)
        var dropped = 0
        while MonotonicTime.now < deadline {
            guard let count = try? await read(into: slab, timeoutMilliseconds: min(500, lingerMilliseconds)), count > 0
            else { break }
            dropped += count
            if dropped >= Self.bytesPerTurnMax {
                dropped = 0
                await loop.nextTurn()
            }
        }
        loop.buffers.giveBack(slab)
        close()
    }

    /// Closes at once.
    package func close() { channel.close() }
}
