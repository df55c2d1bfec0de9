/// Moves bytes over a connected, non-blocking socket: plain, or TLS. Confined to the connection's loop.
package protocol Transport: AnyObject {
    /// Reads into `buffer`. `.closed` is the end of input.
    func receive(_ buffer: UnsafeMutableRawBufferPointer) -> IOResult
    /// Sends from `bytes`; `more` tells that further bytes follow at once.
    func send(_ bytes: UnsafeRawBufferPointer, more: Bool) -> IOResult
    /// Sends file bytes without copying them through the process, or nil when this transport cannot.
    func sendFile(_ file: Int32, offset: Int64, count: Int) -> IOResult?
    /// True when a read shorter than its buffer means that the socket is empty; false where bytes are also held inside.
    var readsAreWhole: Bool { get }
    /// Tells the peer that nothing more will be sent.
    func finishSending()
}

/// The socket itself.
package final class PlainTransport: Transport {
    private let descriptor: Int32
    package let readsAreWhole = true

    package init(descriptor: Int32) { self.descriptor = descriptor }

    package func receive(_ buffer: UnsafeMutableRawBufferPointer) -> IOResult { System.receive(descriptor, buffer) }

    package func send(_ bytes: UnsafeRawBufferPointer, more: Bool) -> IOResult {
        System.send(descriptor, bytes, more: more)
    }

    package func sendFile(_ file: Int32, offset: Int64, count: Int) -> IOResult? {
        System.sendFile(descriptor, file: file, offset: offset, count: count)
    }

    package func finishSending() { System.shutdownWrite(descriptor) }
}
