// One accepted socket: its task, and the choice of protocol by its first bytes.

import EventLoop

/// A connection on its worker's loop.
final class Connection: @unchecked Sendable {
    // Confined to the worker's loop.
    private let worker: Worker
    private let channel: Channel
    private let stream: ByteStream
    private var protocolConnection: (any ProtocolConnection)?
    private var task: Task<Void, Never>?

    init(descriptor: Int32, worker: Worker) {
        self.worker = worker
        channel = Channel(descriptor: descriptor, loop: worker.loop)
        stream = ByteStream(
            channel: channel, transport: PlainTransport(descriptor: descriptor), peer: channel.peerName, isTLS: false)
    }

    /// Begins to serve; `ended` is called on the loop when the socket is closed.
    func start(ended: @escaping @Sendable () -> Void) {
        guard (try? channel.register()) != nil else {
            channel.closeUnregistered()
            return ended()
        }
        // A peer that leaves while a handler works cancels the handler's task.
        channel.onPeerClosed = { [unowned self] in self.protocolConnection?.peerClosed() }
        task = worker.loop.spawn {
            await self.serve()
            self.stream.close()
            ended()
        }
    }

    private func serve() async {
        let http1 = HTTP1Connection(stream: stream, worker: worker) { [unowned self] in self.task?.cancel() }
        protocolConnection = http1
        await http1.run()
    }

    func drain() { protocolConnection?.drain() }

    func abort() {
        task?.cancel()
        channel.abort()
    }
}

/// What the server asks of a connection whatever its protocol.
protocol ProtocolConnection: AnyObject {
    /// Close when idle, else after the present request.
    func drain()
    /// The peer has gone while nobody was reading.
    func peerClosed()
}
