import Glibc

/// A pipe or a terminal: descriptors that are read and written, not received and sent. Owned by the stream's channel.
package final class DescriptorTransport: Transport {
    private let descriptor: Int32
    package let readsAreWhole = false

    package init(descriptor: Int32) { self.descriptor = descriptor }

    package func receive(_ buffer: UnsafeMutableRawBufferPointer) -> IOResult { System.read(descriptor, buffer) }

    package func send(_ bytes: UnsafeRawBufferPointer, more: Bool) -> IOResult { System.write(descriptor, bytes) }

    package func sendFile(_ file: Int32, offset: Int64, count: Int) -> IOResult? { nil }

    package func finishSending() {}
}

extension ByteStream {
    /// Wraps a non-blocking pipe or terminal, which from now on belongs to the stream. Call on `loop`.
    package convenience init(pipe descriptor: Int32, loop: EventLoop) throws(SystemError) {
        let channel = Channel(descriptor: descriptor, loop: loop)
        do throws(SystemError) {
            try channel.register()
        } catch {
            channel.closeUnregistered()
            throw error
        }
        self.init(channel: channel, transport: DescriptorTransport(descriptor: descriptor), peer: "", isTLS: false)
    }
}
