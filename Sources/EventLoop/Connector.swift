import Glibc

/// Opens TCP connections to numeric addresses.
package enum Connector {
    /// Connects to `host`, a numeric address or `localhost`. Call on `loop`; the stream stays there.
    ///
    /// Throws `.failed` with the system's code (`ECONNREFUSED`, `EADDRNOTAVAIL`), or `.timedOut`.
    package static func connect(
        host: String, port: Int, loop: EventLoop, timeoutMilliseconds: UInt64
    ) async throws(StreamError) -> ByteStream {
        guard let address = SocketAddress(host: host, port: port) else { throw .failed(EINVAL) }
        let descriptor: Int32
        do throws(SystemError) {
            descriptor = try System.connect(to: address)
        } catch {
            throw .failed(error.code)
        }
        let channel = Channel(descriptor: descriptor, loop: loop)
        do throws(SystemError) {
            try channel.register()
        } catch {
            channel.closeUnregistered()
            throw .failed(error.code)
        }
        let stream = ByteStream(
            channel: channel, transport: PlainTransport(descriptor: descriptor), peer: address.description, isTLS: false
        )
        // The event says when the handshake is over, and only then the socket says how it ended.
        channel.noteWriteWouldBlock()
        channel.noteReadWouldBlock()
        do throws(StreamError) {
            try await stream.waitWritable(timeoutMilliseconds: timeoutMilliseconds)
        } catch {
            stream.close()
            throw error
        }
        let code = System.pendingError(descriptor)
        guard code == 0 else {
            stream.close()
            throw .failed(code)
        }
        return stream
    }
}

extension ByteStream {
    /// Closes so that the peer gets a reset: for a connection that nobody answers.
    package func reset() {
        System.discardOnClose(channel.descriptor)
        close()
    }
}
